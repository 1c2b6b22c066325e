// A follower that passes requests on answers well, so nothing would ever tell a client that it talks to the wrong node:
// each call would cost one hop more, and each message be read and written once more. So it asks, now and then.
import type { RequestOf } from '@holdfast/api';
import type { NodeCaller } from '../carrier.ts';
import type { ClientClock } from '../clock.ts';
import type { NodeChoice } from './node-choice.ts';

const lookTimeoutMs = 2_000;
/** While the leader is not known, and when it is (it may have changed without an error). */
const lookAgainMs = { unknown: 200, known: 5_000 } as const;

const request: RequestOf<'cluster'> = { params: {}, query: {}, body: undefined, idempotencyKey: undefined };

export class LeaderFinder {
  readonly #caller: NodeCaller;
  readonly #clock: Pick<ClientClock, 'monotonicMs' | 'after'>;
  readonly #choice: NodeChoice;
  #looking: AbortController | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #looks = 0;

  constructor(caller: NodeCaller, clock: Pick<ClientClock, 'monotonicMs' | 'after'>, choice: NodeChoice) {
    this.#caller = caller;
    this.#clock = clock;
    this.#choice = choice;
  }

  get looks(): number {
    return this.#looks;
  }

  /** A node has just answered: asks it who leads, unless that was asked a moment ago. Never throws, nobody waits for it. */
  maybeLook(node: string): void {
    if (this.#choice.count === 1 || this.#looking !== undefined) return;
    const dueMs = this.#choice.leader === undefined ? lookAgainMs.unknown : lookAgainMs.known;
    if (this.#clock.monotonicMs() - this.#lookedAtMs < dueMs) return;
    this.#lookedAtMs = this.#clock.monotonicMs();
    this.#looks += 1;
    void this.#look(node);
  }

  close(): void {
    this.#looking?.abort();
  }

  async #look(node: string): Promise<void> {
    const controller = new AbortController();
    this.#looking = controller;
    const cancelTimer = this.#clock.after(lookTimeoutMs, () => {
      this.#looking = undefined;
      controller.abort();
    });
    try {
      const seen = await this.#caller.call(node, 'cluster', request, controller.signal);
      const leader = seen.members.find((member) => member.id === seen.leader);
      if (leader !== undefined && !controller.signal.aborted) this.#choice.follow(leader.api);
    } catch {
      // The calls themselves will meet whatever is wrong with this node.
    } finally {
      cancelTimer();
      if (this.#looking === controller) this.#looking = undefined;
    }
  }
}
