// What may be asked of a benchmark; each reads what concerns it.
import type { How } from './failover-faults.ts';

export interface BenchOptions {
  readonly runs: number;
  readonly seconds: number;
  readonly waiting: number;
  readonly messages: number;
  readonly kills: number;
  /** What happens to the node that delivers. */
  readonly how: How;
}
