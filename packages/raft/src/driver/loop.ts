// Walk 7/15: carries each Ready of the core out, in the one right order, and decides nothing.
// From raft/core/leader.ts, on to raft/core/replication/commit.ts.
//
//   1. proposals that waited become an entry, if the disk is free;
//   2. messages that claim nothing leave at once: the followers' disks work at the same time as this one;
//   3. ONE write: hard state, truncation, entries, and the effects of what was applied since the last one; never two in
//      flight; what claims that something is on this disk leaves after it;
//   4. what is committed and durable here is applied in memory, and whoever proposed it is answered.
import { strict as assert } from 'node:assert';
import { encodeConfiguration } from '../core/membership/configuration.ts';
import type { Entry, Message, NodeId } from '../core/message.ts';
import type { Receipt, Restore, Write } from '../core/ready.ts';
import type { Core, CoreStatus } from '../core/types.ts';
import type { LogStore } from '../log/log-store.ts';
import type { Compaction } from '../snapshot/compaction.ts';
import type { SnapshotStateMachine } from '../state-machine.ts';
import { brings } from '../versions.ts';
import { Appended } from './appended.ts';
import { Applier } from './applier.ts';
import { ApplyLag } from './apply-lag.ts';
import { driverBounds } from './bounds.ts';
import type { Clock } from './clock.ts';
import { GroupCommit, type Settle } from './group-commit.ts';
import { Leadership } from './leadership.ts';
import type { TransferOutcome } from './outcome.ts';
import { type ReadOutcome, Reads } from './reads.ts';
import type { Refusals } from './refusals.ts';
import { Watchdog } from './watchdog.ts';

export interface LoopOptions<Result> {
  readonly core: Core;
  readonly log: LogStore;
  readonly stateMachine: SnapshotStateMachine<Result>;
  readonly compaction: Compaction;
  readonly clock: Clock;
  readonly tickMs: number;
  /** A read that is not ready by then fails. */
  readonly readPatienceMs: number;
  readonly refusals: Refusals;
  readonly entryHeader: () => Uint8Array;
  readonly send: (message: Message) => void;
  readonly onLeader: (term: number) => void;
  readonly onLeaderLost: (term: number) => void;
  readonly onTermEnded: (term: number) => void;
  readonly onApplied: () => void;
  /** The first entry that an export which is open needs. */
  readonly neededFrom: () => number | undefined;
  /** These members can not be helped with entries. */
  readonly onSnapshotsNeeded: (by: readonly NodeId[]) => void;
  /** Log and state are those of the snapshot that ends at `index`. */
  readonly onFlipped: (index: number) => void;
  /** Called once; the loop has ended. */
  readonly onFatal: (error: unknown) => void;
}

export class Loop<Result> {
  readonly appended = new Appended<Result>();
  readonly #options: LoopOptions<Result>;
  readonly #waiting = new GroupCommit<Result>();
  readonly #applier: Applier<Result>;
  readonly #leadership: Leadership;
  readonly #reads = new Reads();
  readonly #watchdog = new Watchdog(driverBounds.diskStallMs);
  readonly #lag = new ApplyLag(driverBounds.maxApplyLagMs);
  #status: CoreStatus;
  #writing: Promise<void> | undefined;
  /** Bytes of the effects in the write that is in flight. */
  #sealedBytes = 0;
  #cancelLinger: (() => void) | undefined;
  #effectsAreDue = false;
  #isAwake = false;
  #isHeldBack = false;
  #isStalled = false;
  #isClosing = false;
  #ended = false;

  constructor(options: LoopOptions<Result>) {
    this.#options = options;
    this.#status = options.core.status();
    this.#leadership = new Leadership(options);
    const { stateMachine, clock } = options;
    this.#applier = new Applier({ stateMachine, clock, onApplied: (entry, results) => this.#applied(entry, results) });
  }

  /** As of the last turn. */
  get status(): CoreStatus {
    return this.#status;
  }

  get leads(): boolean {
    return this.#leadership.leads;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  get waitingProposals(): number {
    return this.#waiting.count;
  }

  get waitingEntries(): number {
    return this.#applier.waitingEntries;
  }

  /** Queues a proposal for the next entry, or settles it at once. */
  propose(command: Uint8Array, settle: Settle<Result>): void {
    const bound = this.#waiting.add(command, settle);
    if (bound !== undefined) {
      this.#options.refusals.count(bound);
      settle({ kind: 'notApplied', reason: 'overloaded' });
    } else if (this.#writing === undefined) {
      this.wake();
    }
  }

  readIndex(settle: (outcome: ReadOutcome) => void): void {
    const { clock, readPatienceMs } = this.#options;
    const context = this.#reads.add(settle, clock.monotonicMs() + readPatienceMs);
    this.input((core) => core.readIndex(context));
  }

  /** Gives the core an input; the turn follows when the event loop has given it all that has arrived. */
  input(give: (core: Core) => void): void {
    if (this.#ended) return;
    this.#guard(() => give(this.#options.core));
    this.wake();
  }

  /** From here on `status` says so: whoever answers for this leader must know it at once, and not with the next turn. */
  transferLeadership(to: NodeId | undefined): TransferOutcome {
    // Who does not understand that it is to lead would be waited for in vain, and nothing be proposed meanwhile.
    if (!brings(this.#options.stateMachine.activeVersion, 'transfer')) return { kind: 'refused', reason: 'oldVersion' };
    let transferred: TransferOutcome = { kind: 'refused', reason: 'stopping' };
    this.input((core) => {
      transferred = core.transferLeadership(to);
      this.#status = core.status();
    });
    return transferred;
  }

  tick(): void {
    if (this.#ended) return;
    const { core, clock, refusals } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#guard(() => {
      const isStalled = this.#watchdog.isStalled(nowMs);
      if (isStalled) core.diskStalled();
      if (isStalled && !this.#isStalled) refusals.count('diskStallMs');
      this.#isStalled = isStalled;
      core.tick();
    });
    this.#lag.tick(nowMs, this.#status.commit);
    this.#reads.tick(nowMs);
    this.#turn();
  }

  paused(pausedMs: number): void {
    this.#watchdog.paused(pausedMs);
    this.input((core) => core.paused(Math.floor(pausedMs / this.#options.tickMs)));
  }

  wake(): void {
    if (this.#isAwake || this.#ended) return;
    this.#isAwake = true;
    this.#options.clock.after(0, () => {
      this.#isAwake = false;
      this.#turn();
    });
  }

  /** Takes no more turns, and writes the effects of everything that is applied. */
  async flush(): Promise<void> {
    // Otherwise a leader that keeps sending would keep this follower writing.
    this.#isClosing = true;
    await this.#writing;
    if (!this.#ended && this.#options.stateMachine.pendingBytes > 0) this.#guard(() => this.#startWrite(undefined));
    await this.#writing;
  }

  /** Settles what waits as never appended; for a stop and for a failure. */
  refuseWaiting(reason: 'notLeader' | 'stopping'): void {
    this.#waiting.settleAll({ kind: 'notApplied', reason });
  }

  /** Nothing is sent, written, applied or answered from here on; every proposal is settled. */
  end(): void {
    this.#ended = true;
    this.#cancelLinger?.();
    this.refuseWaiting('stopping');
    this.#leadership.end();
    this.#reads.end();
    this.appended.giveUp(Number.POSITIVE_INFINITY);
  }

  #turn(): void {
    if (this.#ended || this.#isClosing) return;
    this.#guard(() => {
      const { core, send, onSnapshotsNeeded } = this.#options;
      this.#observe();
      this.#closeEntries();
      const ready = core.ready({ canWrite: this.#writing === undefined });
      const { messages, write, committed, readStates, snapshotsFor } = ready;
      for (const message of messages) send(message);
      if (snapshotsFor.length > 0) onSnapshotsNeeded(snapshotsFor);
      if (write !== undefined || (this.#writing === undefined && this.#areEffectsDue())) this.#startWrite(write);
      this.#reads.answered(readStates, this.#options.stateMachine.applied.index);
      this.#applier.add(committed);
      this.#apply();
      this.#observe();
    });
  }

  #observe(): void {
    this.#status = this.#options.core.status();
    this.#leadership.observe(this.#status, this.#options.stateMachine.applied.index);
    if (!this.#leadership.leads && this.#waiting.count > 0) this.refuseWaiting('notLeader');
  }

  #closeEntries(): void {
    const { core, entryHeader } = this.#options;
    if (this.#writing !== undefined) return;
    for (let entries = 0; entries < driverBounds.maxTurnEntries && this.#waiting.count > 0; entries++) {
      if (this.#mustHoldBack()) return;
      const group = this.#waiting.next(entryHeader());
      const proposed = core.propose(group.payload);
      if (proposed.kind === 'appended') {
        this.#waiting.take(group);
        this.appended.add(proposed.index, proposed.term, group.proposers);
      } else if (proposed.reason === 'transferring') {
        return; // they wait: soon another leads, or this node again
      } else if (proposed.reason === 'tooManyUncommitted') {
        return this.#options.refusals.count('maxUncommittedBytes');
      } else {
        return this.refuseWaiting(proposed.reason);
      }
    }
  }

  /** Proposals wait in their bounded queue while a majority can not keep up, with its disks or with applying. */
  #mustHoldBack(): boolean {
    const { clock, refusals, core } = this.#options;
    if (core.status().uncommittedBytes >= driverBounds.maxUncommittedBytes) {
      refusals.count('maxUncommittedBytes');
      return true;
    }
    const isBehind = this.#lag.isBehind(clock.monotonicMs(), this.#status);
    if (isBehind && !this.#isHeldBack) refusals.count('maxApplyLagMs');
    this.#isHeldBack = isBehind;
    return isBehind;
  }

  #areEffectsDue(): boolean {
    const { pendingBytes } = this.#options.stateMachine;
    return pendingBytes >= driverBounds.effectsTurnBytes || (this.#effectsAreDue && pendingBytes > 0);
  }

  #startWrite(write: Write | undefined): void {
    assert(this.#writing === undefined, 'one write in flight');
    const { stateMachine, log, clock } = this.#options;
    this.#effectsAreDue = false;
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
    this.#watchdog.writeStarted(clock.monotonicMs());
    if (write?.restore !== undefined) return this.#startFlip(write, write.restore);
    const pendingBytes = stateMachine.pendingBytes;
    const effects = pendingBytes > 0 ? stateMachine.takeEffects() : undefined;
    this.#sealedBytes = pendingBytes;
    const { hardState, truncateFrom, entries = [] } = write ?? {};
    const turn = { hardState, truncateFrom, entries, effects: effects ?? [], compactTo: this.#compactTo() };
    this.#writing = log.write(turn).then(
      () => this.#written(write, effects !== undefined),
      (error: unknown) => this.#fail(error),
    );
  }

  /** Every effect of what is applied is on the disk with the turn that asks. */
  #compactTo(): number | undefined {
    const { stateMachine, compaction, neededFrom } = this.#options;
    if (!brings(stateMachine.activeVersion, 'snapshots')) return undefined;
    let needed = neededFrom() ?? Number.POSITIVE_INFINITY;
    for (const { match, recentlyActive, state } of this.#status.followers.values()) {
      // What a member needs that is to get a snapshot is said by the export.
      if (recentlyActive && state !== 'snapshot') needed = Math.min(needed, match + 1);
    }
    return compaction.next(stateMachine.applied.index, needed);
  }

  /** What was applied here and not written belongs to the state that goes. */
  #startFlip(write: Write, { index, term, configuration, generation }: Restore): void {
    assert(this.#applier.waitingEntries === 0, 'nothing is applied while the state is replaced');
    const { stateMachine, log } = this.#options;
    const restore = { index, term, configuration: encodeConfiguration(configuration), generation };
    this.#writing = log
      .write({ hardState: write.hardState, truncateFrom: undefined, entries: [], effects: [], restore })
      .then(() => stateMachine.adopt(generation))
      .then(
        () => this.#flipped(write, index),
        (error: unknown) => this.#fail(error),
      );
  }

  #flipped(write: Write, index: number): void {
    // Whether what this node had appended is among it, nobody can tell.
    this.appended.giveUp(Number.POSITIVE_INFINITY);
    this.#reads.applied(index);
    this.#options.onApplied();
    this.#written(write, false);
    if (!this.#ended) this.#options.onFlipped(index);
  }

  #written(write: Write | undefined, hasEffects: boolean): void {
    this.#writing = undefined;
    this.#watchdog.writeEnded();
    this.#sealedBytes = 0;
    if (this.#ended) return;
    this.#guard(() => {
      const { stateMachine, core, send } = this.#options;
      if (hasEffects) stateMachine.effectsWritten();
      if (write === undefined) return;
      for (const message of write.messagesAfterWrite) send(message);
      core.advance(receiptOf(write));
    });
    this.#turn();
  }

  #apply(): void {
    const { stateMachine, refusals, clock } = this.#options;
    if (this.#applier.waitingEntries === 0) return;
    const pause = this.#applier.run(this.#sealedBytes);
    if (pause === 'effects') refusals.count('maxPendingEffectsBytes');
    // The core may have more; what waits for the disk goes on when the write is over.
    if (pause !== 'effects' || this.#writing === undefined) this.wake();
    if (stateMachine.pendingBytes > 0 && this.#cancelLinger === undefined) {
      this.#cancelLinger = clock.after(driverBounds.effectsLingerMs, () => {
        this.#effectsAreDue = true;
        this.#turn();
      });
    }
  }

  #applied(entry: Entry, results: readonly Result[]): void {
    this.#options.core.advance({ kind: 'applied', index: entry.index });
    this.appended.applied(entry.index, entry.term, results);
    this.#reads.applied(entry.index);
    this.#options.onApplied();
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.end();
    this.#options.onFatal(error);
  }
}

function receiptOf({ entries }: Write): Receipt {
  const last = entries.at(-1);
  return { kind: 'written', lastIndex: last?.index ?? 0, lastTerm: last?.term ?? 0 };
}
