// Tells the owner when this node begins and ends to lead: exactly one `onLeaderLost` for each `onLeader`.
import type { CoreStatus } from '../core/types.ts';

export interface LeadershipEvents {
  onLeader(term: number): void;
  onLeaderLost(term: number): void;
  /** Leadership is over, also if it never came to `onLeader`: what was appended in this term has an open fate. */
  onTermEnded(term: number): void;
}

export class Leadership {
  readonly #events: LeadershipEvents;
  #ledTerm: number | undefined;
  #announcedTerm: number | undefined;

  constructor(events: LeadershipEvents) {
    this.#events = events;
  }

  get leads(): boolean {
    return this.#ledTerm !== undefined;
  }

  /** @param applied the state machine's applied index */
  observe(status: CoreStatus, applied: number): void {
    const term = status.role === 'leader' ? status.term : undefined;
    if (this.#ledTerm !== term) this.end();
    this.#ledTerm = term;
    const { termStartIndex } = status;
    if (term === undefined || this.#announcedTerm === term || termStartIndex === undefined) return;
    // Before its own first entry is applied a leader does not know what its predecessors have committed.
    if (applied < termStartIndex) return;
    this.#announcedTerm = term;
    this.#events.onLeader(term);
  }

  end(): void {
    const led = this.#ledTerm;
    const announced = this.#announcedTerm;
    this.#ledTerm = undefined;
    this.#announcedTerm = undefined;
    if (announced !== undefined) this.#events.onLeaderLost(announced);
    if (led !== undefined) this.#events.onTermEnded(led);
  }
}
