// Life = one leadership. Created when the first entry of the own term is applied; its first proposal is `begin`.
import type { ReceiveAnswer, ReceiveRequest } from './ports.ts';

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
