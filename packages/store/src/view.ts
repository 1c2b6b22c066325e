// A view: LevelDB as it was, plus the layers that were applied and not written, taken in ONE synchronous step [P1, P2].

import type { GroupConfig } from './command.ts';
import type { Position } from './position.ts';
import type { End, Fate } from './verdict.ts';

export interface MessageRow {
  readonly position: Position;
  readonly headers: Uint8Array;
  readonly body: Uint8Array;
}

export type HoldState = 'leased' | 'retry' | 'aside' | 'dead';

export interface Hold {
  readonly position: Position;
  readonly state: HoldState;
  readonly token: number;
  readonly attempt: number;
  readonly untilMs: number;
  readonly receiveId: Uint8Array;
  readonly retryAtMs: number;
  readonly retrySeq: number;
  readonly reason: string;
}

export interface TopicInfo {
  readonly number: number;
  readonly name: string;
  /** Conservation: scheduled = waiting + outstanding + delivered + cancelled + stopped + skipped + dead, per topic and group. */
  readonly scheduled: number;
  readonly cancelled: number;
  readonly stopped: number;
  readonly delivered: number;
  /** Swept: every group started after it. */
  readonly skipped: number;
}

export interface GroupInfo {
  readonly topic: number;
  readonly number: number;
  readonly name: string;
  readonly state: 'active' | 'deleting';
  readonly start: Position;
  readonly cursor: Position;
  readonly config: GroupConfig;
  readonly acknowledged: number;
  readonly dead: number;
  readonly outstanding: number;
}

export interface RetryRow {
  readonly retryAtMs: number;
  readonly retrySeq: number;
  readonly position: Position;
}

/** Everything is as of one applied index. Scans are asynchronous and bounded; point reads are synchronous. */
export interface View {
  readonly appliedIndex: number;
  readonly clockMs: number;
  /** The last seq that was issued, not the next [P8]. */
  readonly seq: number;
  topics(): readonly TopicInfo[];
  topicByName(name: string): TopicInfo | undefined;
  groups(topic: number): readonly GroupInfo[];
  groupByName(topic: number, name: string): GroupInfo | undefined;
  message(topic: number, position: Position): MessageRow | undefined;
  hold(topic: number, group: number, position: Position): Hold | undefined;
  ended(topic: number, position: Position): (End & { readonly endedAtMs: number }) | undefined;
  /** How a message that has no row ended, by the rules of the verdict table. */
  fate(topic: number, position: Position): Fate;
  /** Positions in the lane in (after, to], in order, at most `limit`. */
  lane(topic: number, after: Position, to: Position, limit: number): Promise<readonly Position[]>;
  /** The same with their rows (headers and body), for lists. */
  messages(topic: number, after: Position, to: Position, limit: number): Promise<readonly MessageRow[]>;
  /** Holds of a group in order of position, after `after`, at most `limit`. */
  holds(topic: number, group: number, after: Position, limit: number): Promise<readonly Hold[]>;
  /** Retry rows of a group in order of time, from (retryAtMs, retrySeq) exclusive, at most `limit`. */
  retries(
    topic: number,
    group: number,
    after: { readonly retryAtMs: number; readonly retrySeq: number },
    limit: number,
  ): Promise<readonly RetryRow[]>;
  /** Housekeeping: answers and ended rows in order of their time, up to `toMs`. */
  dueAnswers(
    toMs: number,
    limit: number,
  ): Promise<readonly { readonly topic: number; readonly key: string; readonly untilMs: number }[]>;
  dueEnded(
    toMs: number,
    limit: number,
  ): Promise<readonly { readonly topic: number; readonly position: Position; readonly endedAtMs: number }[]>;
  /** Gives the snapshot back; every view must be closed (`using view = store.view()`). */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
