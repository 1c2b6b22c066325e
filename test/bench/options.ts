// What may be asked of a benchmark; each reads what concerns it.

export interface BenchOptions {
  readonly runs: number;
  readonly seconds: number;
  readonly waiting: number;
  readonly messages: number;
  readonly kills: number;
  /** What happens to the node that delivers; anything else than a name of the table: each of them. */
  readonly how: string;
}
