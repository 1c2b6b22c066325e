// Changes of the members that this node has appended, until it is known what became of them.
import type { ChangeRefusal, CoreStatus } from '../../core/types.ts';
import type { LogStore } from '../../log/log-store.ts';
import type { Clock } from '../clock.ts';

/** What became of a change of the members (thesis 4.1). */
export type ChangeOutcome =
  /** Committed: it can not be lost any more. */
  | { readonly kind: 'applied'; readonly index: number }
  /**
   * `oldVersion`: some member may not understand it yet. `overwritten`: another leader's entry took its place.
   * `removedMember`: this directory was a member, as far back as the log of the leader goes; it may come back as another one.
   */
  | { readonly kind: 'refused'; readonly reason: ChangeRefusal | 'oldVersion' | 'overwritten' | 'removedMember' }
  /** It was appended, and then leadership or this node was lost: it may still come about. */
  | { readonly kind: 'unknown' };

interface Pending {
  readonly index: number;
  readonly term: number;
  readonly settle: (outcome: ChangeOutcome) => void;
  /** Nothing more is expected by then; set when leadership is lost. */
  untilMs: number;
}

export interface ChangesOptions {
  readonly log: Pick<LogStore, 'term'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** After leadership was lost. */
  readonly patienceMs: number;
}

export class Changes {
  readonly #options: ChangesOptions;
  #pending: readonly Pending[] = [];

  constructor(options: ChangesOptions) {
    this.#options = options;
  }

  add({ index, term }: { readonly index: number; readonly term: number }): Promise<ChangeOutcome> {
    return new Promise((settle) => {
      this.#pending = [...this.#pending, { index, term, settle, untilMs: Number.POSITIVE_INFINITY }];
    });
  }

  look(status: Pick<CoreStatus, 'role' | 'term' | 'applied'>): void {
    if (this.#pending.length === 0) return;
    this.#pending = this.#pending.filter((pending) => {
      const outcome = this.#outcomeOf(pending, status);
      if (outcome !== undefined) pending.settle(outcome);
      return outcome === undefined;
    });
  }

  end(): void {
    for (const { settle } of this.#pending) settle({ kind: 'unknown' });
    this.#pending = [];
  }

  #outcomeOf(pending: Pending, { role, term, applied }: Pick<CoreStatus, 'role' | 'term' | 'applied'>) {
    const { log, clock, patienceMs } = this.#options;
    if (applied >= pending.index) {
      const found = log.term(pending.index);
      if (found === undefined) return { kind: 'unknown' } as const;
      if (found === pending.term) return { kind: 'applied', index: pending.index } as const;
      return { kind: 'refused', reason: 'overwritten' } as const;
    }
    const nowMs = clock.monotonicMs();
    if (role === 'leader' && term === pending.term) return undefined;
    if (pending.untilMs === Number.POSITIVE_INFINITY) pending.untilMs = nowMs + patienceMs;
    return nowMs >= pending.untilMs ? ({ kind: 'unknown' } as const) : undefined;
  }
}
