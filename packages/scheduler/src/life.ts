// What the parts of one leadership share: what they were given, what was proposed, and who is known.
import type { Bounds, Counters } from './bounds.ts';
import type { Groups } from './group.ts';
import type { LeaseTable } from './leases/lease-table.ts';
import type { SchedulerPorts } from './ports.ts';
import type { Proposed } from './proposed.ts';

export interface Life {
  readonly ports: SchedulerPorts;
  readonly bounds: Bounds;
  readonly refusals: Counters;
  readonly proposed: Proposed;
  readonly groups: Groups;
  readonly leases: LeaseTable;
  /** `begin` is applied, and the leadership has not ended. */
  isServing(): boolean;
  isStopped(): boolean;
  /** A read failed or an assertion did not hold: the node is told, and this leadership does nothing more. */
  fault(error: unknown): void;
  /** Look at everything again, once the current step of the program has ended. */
  wake(): void;
  /** Resolves when the time has passed, or when this leadership ended. */
  pause(delayMs: number): Promise<void>;
}

/** Lets an asynchronous part run on its own: what it throws is a fault of the node, unless nobody leads here any more. */
export function runApart(life: Life, work: () => Promise<unknown>): void {
  work().catch((error: unknown) => {
    if (!life.isStopped()) life.fault(error);
  });
}
