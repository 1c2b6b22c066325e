/**
 * Every limit of the driver; nobody configures them. What is refused or held back because of `maxCommandBytes`,
 * `maxWaitingProposals`, `maxWaitingBytes`, `maxUncommittedBytes`, `maxApplyLagMs` or `maxPendingEffectsBytes` is counted under
 * that name in `RaftStatus.refusals`, as are writes that last longer than `diskStallMs`. The others only say how work is cut
 * into pieces and when, and are counted nowhere.
 */
export const driverBounds = {
  /** Of one command. */
  maxCommandBytes: 4 * 2 ** 20,
  /** One entry: so many commands ... (4,096 held the event loop for 41 to 95 ms) */
  maxEntryCommands: 512,
  /** ... or so many bytes, unless a single command is larger. */
  maxEntryBytes: 256 * 2 ** 10,
  /** Entries that one turn may append. */
  maxTurnEntries: 4,
  /** Proposals that wait to become an entry. */
  maxWaitingProposals: 16_384,
  maxWaitingBytes: 32 * 2 ** 20,
  /** Appended here and not committed yet. */
  maxUncommittedBytes: 32 * 2 ** 20,
  /** One append message, and what may be on its way to one follower. */
  maxAppendBytes: 2 ** 20,
  maxInflightAppends: 64,
  maxInflightBytes: 8 * 2 ** 20,
  /** Handed out by the core to be applied, at a time. */
  maxApplyBytes: 2 * 2 ** 20,
  /** Apply gives the event loop back after so long, inside an entry if need be. */
  applyYieldMs: 5,
  /** Effects alone wait so long for a turn that has entries ... */
  effectsLingerMs: 20,
  /** ... unless they weigh so much. */
  effectsTurnBytes: 2 ** 20,
  /** Apply pauses when so many bytes of effects are not on disk. */
  maxPendingEffectsBytes: 8 * 2 ** 20,
  /** Proposals wait while a majority is this far behind with applying. */
  maxApplyLagMs: 500,
  /** A write that takes longer is news for the core. 1.5 s were measured with nothing wrong. */
  diskStallMs: 2500,
  /** A stop waits so long for what is appended already. */
  stopGraceMs: 100,
  /** What a member says about formation is repeated so often until all are agreed. */
  formationRepeatMs: 100,
} as const;
