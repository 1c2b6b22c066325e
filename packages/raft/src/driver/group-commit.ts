// Walk 5/15: proposals wait here for the disk, and those that wait together become one entry.
// From server/service/messages.ts, on to raft/core/leader.ts.
//
// One entry is one value in LevelDB, encoded once and copied to every follower as it is: 0.5 to 0.8 us a record where a
// thousand share an entry. Nothing waits for company: what is here when the disk is free goes.
import { encodePayload } from '../log/payload.ts';
import { driverBounds } from './bounds.ts';
import type { Outcome } from './outcome.ts';
import type { RefusalName } from './refusals.ts';

export type Settle<Result> = (outcome: Outcome<Result>) => void;

interface Waiting<Result> {
  readonly command: Uint8Array;
  readonly settle: Settle<Result>;
}

/** What one entry will hold. Nothing has left the queue yet: `take` does that, once the core has it. */
export interface Group<Result> {
  readonly payload: Uint8Array;
  readonly proposers: readonly Settle<Result>[];
}

export class GroupCommit<Result> {
  #waiting: Waiting<Result>[] = [];
  #bytes = 0;

  get count(): number {
    return this.#waiting.length;
  }

  /** The bound that has no room for this command, or undefined when it was queued. */
  add(command: Uint8Array, settle: Settle<Result>): RefusalName | undefined {
    if (this.#waiting.length >= driverBounds.maxWaitingProposals) return 'maxWaitingProposals';
    if (this.#bytes + command.length > driverBounds.maxWaitingBytes) return 'maxWaitingBytes';
    this.#waiting.push({ command, settle });
    this.#bytes += command.length;
    return undefined;
  }

  /** The next entry: as many of the oldest as fit, at least one. */
  next(header: Uint8Array): Group<Result> {
    const commands: Uint8Array[] = [];
    const proposers: Settle<Result>[] = [];
    let bytes = 0;
    for (const { command, settle } of this.#waiting) {
      bytes += command.length;
      const full = commands.length === driverBounds.maxEntryCommands || bytes > driverBounds.maxEntryBytes;
      if (full && commands.length > 0) break;
      commands.push(command);
      proposers.push(settle);
    }
    return { payload: encodePayload({ header, commands }), proposers };
  }

  /** The group that `next` returned is appended. */
  take(group: Group<Result>): void {
    for (const { command } of this.#waiting.splice(0, group.proposers.length)) this.#bytes -= command.length;
  }

  /** None of these was appended. */
  settleAll(outcome: Outcome<Result>): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    for (const { settle } of waiting) settle(outcome);
  }
}
