// Walk 12/15: the leader's hands. Life = one leadership: created when the first entry of the own term is applied, its first
// proposal is `begin`. From scheduler/window.ts, on to delivery/pick.ts; leadership.ts carries out what this file says.
//
// It holds no truth. What it knows was told by views and changes of the store, and a new one is built from the same
// store after an election, or after a doubt.
import type { Bounds } from './bounds.ts';
import type { ReceiveAnswer, ReceiveRequest } from './ports.ts';

/** All of it has defaults. Times in ms. */
export interface SchedulerConfig {
  /** No lease is ended in this time after `begin`: consumers find the new leader first. Default 3,000. */
  readonly graceMs?: number;
  /** What a commit is taken to cost, at least: a receive with less left gets no new lease. Default 20. */
  readonly commitBudgetMs?: number;
  /** How long it stays known how a message ended; the same as the store's limit. Default 7 days. */
  readonly endedKeepMs?: number;
  /** Between two looks for what is to be collected, and up to twelve times as long while there is nothing. Default 5,000. */
  readonly collectEveryMs?: number;
  /** Between two steps of collecting, while there is more. Default 5. */
  readonly collectPauseMs?: number;
  readonly bounds?: Partial<Bounds>;
}

export interface SchedulerStatus {
  readonly waitingReceives: number;
  readonly leases: number;
  readonly oldestLeaseMs: number;
  readonly rebuildMs: number;
  readonly windowPositions: number;
  readonly proposalsInFlight: number;
  readonly refusals: ReadonlyMap<string, number>;
}

export interface Scheduler {
  /** Proposes `begin`; resolves when it is applied and the scheduler serves, or when it was stopped before. */
  start(): Promise<void>;
  /** Waits for messages that are due. `signal`: the caller walked away; it gets no new lease. */
  receive(request: ReceiveRequest, signal: AbortSignal): Promise<ReceiveAnswer>;
  /** Jitter included; for nacks without a delay and for releases. @returns ms */
  backoffMs(topic: number, group: number, attempt: number): number;
  status(): SchedulerStatus;
  /** Answers every waiter with `tryAnotherNode`, proposes nothing more. */
  stop(): void;
}
