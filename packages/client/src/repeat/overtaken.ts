// A leader that is frozen, or cut off from the other nodes, breaks no connection: whoever asked it waits until the time of
// the attempt has run out, long after another one was elected. So when a node at which calls wait has said nothing for a
// while, the others are asked who leads; once they name another, nothing is waited for any more, and every call goes there.
// Nothing is lost by it: a call is repeated as after a lost answer.
import { type NodeChoice, originOf } from './node-choice.ts';
import { type Asking, whoLeads } from './who-leads.ts';

const overtakenBounds = {
  /** A node at which calls wait may be silent for so long: a receive waits when nothing is due. */
  quietMs: 250,
  /** The others are asked again after so long; sooner when one of them knows that nobody leads just now. */
  againMs: 200,
  electingMs: 50,
  /** One that does not answer may be frozen as well: then the next one is asked. */
  answerMs: 500,
} as const;

interface Waiting {
  readonly giveUps: Set<() => void>;
  /** When it was last heard, or when the first of them was sent. */
  heardAtMs: number;
}

export class Overtaken {
  readonly #asking: Asking;
  readonly #choice: NodeChoice;
  readonly #closing = new AbortController();
  readonly #waiting = new Map<string, Waiting>();
  #cancelTimer: (() => void) | undefined;
  #isAsking = false;
  #turn = 0;
  /** Attempts that were given up because another node leads. */
  count = 0;

  constructor(asking: Asking, choice: NodeChoice) {
    this.#asking = asking;
    this.#choice = choice;
  }

  /** An attempt is under way. @returns what to call at its end, and whether the node was heard */
  began(node: string, giveUp: () => void): (isHeard: boolean) => void {
    const { clock } = this.#asking;
    const waiting = this.#waiting.get(node) ?? { giveUps: new Set(), heardAtMs: clock.monotonicMs() };
    this.#waiting.set(node, waiting);
    waiting.giveUps.add(giveUp);
    this.#arm(0);
    return (isHeard) => {
      if (isHeard) waiting.heardAtMs = clock.monotonicMs();
      waiting.giveUps.delete(giveUp);
      if (waiting.giveUps.size === 0 && this.#waiting.get(node) === waiting) this.#waiting.delete(node);
      if (this.#waiting.size === 0) this.#disarm();
    };
  }

  close(): void {
    this.#closing.abort();
    this.#disarm();
  }

  /** For when somebody has been silent long enough, but not before `leastMs` from now. */
  #arm(leastMs: number): void {
    if (this.#cancelTimer !== undefined || this.#isAsking || this.#choice.count === 1) return;
    if (this.#waiting.size === 0 || this.#closing.signal.aborted) return;
    const { clock } = this.#asking;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const { heardAtMs } of this.#waiting.values()) oldestMs = Math.min(oldestMs, heardAtMs);
    const inMs = oldestMs + overtakenBounds.quietMs - clock.monotonicMs();
    this.#cancelTimer = clock.after(Math.max(inMs, leastMs, 1), () => {
      this.#cancelTimer = undefined;
      void this.#look();
    });
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  async #look(): Promise<void> {
    const latestMs = this.#asking.clock.monotonicMs() - overtakenBounds.quietMs;
    const [node] = [...this.#waiting].find(([, { heardAtMs }]) => heardAtMs <= latestMs) ?? [];
    if (node === undefined) return this.#arm(0);
    const others = this.#choice.nodes.filter((other) => other !== node);
    const other = others[this.#turn % others.length] ?? node;
    this.#turn += 1;
    this.#isAsking = true;
    const leader = await whoLeads(this.#asking, other, overtakenBounds.answerMs, this.#closing.signal);
    this.#isAsking = false;
    if (leader !== undefined && originOf(leader) !== node && this.#choice.follow(leader)) this.#giveUp(node);
    return this.#arm(leader === undefined ? overtakenBounds.electingMs : overtakenBounds.againMs);
  }

  #giveUp(node: string): void {
    const { giveUps = [] } = this.#waiting.get(node) ?? {};
    for (const giveUp of giveUps) {
      this.count += 1;
      giveUp();
    }
  }
}
