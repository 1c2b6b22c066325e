// A follower that passes requests on answers well, so nothing would ever tell a client that it talks to the wrong node:
// each call would cost one hop more, and each message be read and written once more. So it asks, now and then.
import type { NodeChoice } from './node-choice.ts';
import { type Asking, whoLeads } from './who-leads.ts';

const lookTimeoutMs = 2_000;
/** While the leader is not known, and when it is (it may have changed without an error). */
const lookAgainMs = { unknown: 200, known: 5_000 } as const;

export class LeaderFinder {
  readonly #asking: Asking;
  readonly #choice: NodeChoice;
  readonly #closing = new AbortController();
  #isLooking = false;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #looks = 0;

  constructor(asking: Asking, choice: NodeChoice) {
    this.#asking = asking;
    this.#choice = choice;
  }

  get looks(): number {
    return this.#looks;
  }

  /** A node has just answered: asks it who leads, unless that was asked a moment ago. Never throws, nobody waits for it. */
  maybeLook(node: string): void {
    if (this.#choice.count === 1 || this.#isLooking) return;
    const dueMs = this.#choice.leader === undefined ? lookAgainMs.unknown : lookAgainMs.known;
    if (this.#asking.clock.monotonicMs() - this.#lookedAtMs < dueMs) return;
    this.#lookedAtMs = this.#asking.clock.monotonicMs();
    this.#looks += 1;
    void this.#look(node);
  }

  close(): void {
    this.#closing.abort();
  }

  async #look(node: string): Promise<void> {
    this.#isLooking = true;
    const leading = await whoLeads(this.#asking, node, lookTimeoutMs, this.#closing.signal);
    this.#isLooking = false;
    if (leading !== undefined) this.#choice.follow(leading.api, leading.term);
  }
}
