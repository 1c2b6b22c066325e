// A leader that is frozen, or cut off from the other nodes, breaks no connection: whoever asked it waits until the time of
// the attempt has run out, long after another one was elected. So when a node at which calls wait has said nothing for a
// while, the others are asked who leads; once they name another, nothing is waited for any more, and every call goes there.
// It may also be that the same node leads anew, in a later term: it lost its power, say, and knows nothing of calls from
// before. Nothing is lost by leaving: a call is repeated as after a lost answer. Where only receives wait, silence is nothing
// unusual: the others are asked less and less often then, until the node has been silent for longer than a receive waits.
import { type NodeChoice, originOf } from './node-choice.ts';
import { type Asking, type Leading, whoLeads } from './who-leads.ts';

const overtakenBounds = {
  /** A node at which calls wait may be silent for so long: a receive waits when nothing is due. */
  quietMs: 250,
  /** The others are asked again after so long; sooner when one of them knows that nobody leads just now. */
  againMs: 200,
  electingMs: 50,
  /** Twice as long each time that another node agrees with the receives that wait, up to this ... */
  calmMs: 2_000,
  /** ... but a node that has said nothing for so long is asked about as if nobody had agreed. */
  overdueMs: 1_050,
  /** One that does not answer may be frozen as well: then the next one is asked. */
  answerMs: 500,
} as const;

interface Waiting {
  /** With the latest term that was known when the attempt began. */
  readonly giveUps: Map<() => void, number | undefined>;
  /** How many of them would be answered at once. */
  urgent: number;
  /** When it was last heard, or when the first of them was sent. */
  heardAtMs: number;
}

export class Overtaken {
  readonly #asking: Asking;
  readonly #choice: NodeChoice;
  readonly #closing = new AbortController();
  readonly #waiting = new Map<string, Waiting>();
  #cancelTimer: (() => void) | undefined;
  #armedForMs = Number.POSITIVE_INFINITY;
  #isAsking = false;
  #turn = 0;
  /** What came of the last look: who agreed that this node leads, and when to look again. */
  #agreedOn: string | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #pauseMs = 0;
  /** Attempts that were given up because another node leads, or the same one anew. */
  count = 0;

  constructor(asking: Asking, choice: NodeChoice) {
    this.#asking = asking;
    this.#choice = choice;
  }

  /**
   * An attempt is under way.
   *
   * @param isPatient it may be answered late although nothing is wrong: a receive
   * @returns what to call at its end, and whether the node was heard
   */
  began(node: string, isPatient: boolean, giveUp: () => void): (isHeard: boolean) => void {
    const { clock } = this.#asking;
    const waiting = this.#waiting.get(node) ?? { giveUps: new Map(), urgent: 0, heardAtMs: clock.monotonicMs() };
    this.#waiting.set(node, waiting);
    waiting.giveUps.set(giveUp, this.#choice.term);
    if (!isPatient) waiting.urgent += 1;
    if (!isPatient && this.#armedForMs > clock.monotonicMs() + overtakenBounds.quietMs) this.#disarm();
    this.#arm();
    return (isHeard) => {
      if (isHeard) waiting.heardAtMs = clock.monotonicMs();
      if (!isPatient) waiting.urgent -= 1;
      waiting.giveUps.delete(giveUp);
      if (waiting.giveUps.size === 0 && this.#waiting.get(node) === waiting) this.#waiting.delete(node);
      if (this.#waiting.size === 0) this.#disarm();
    };
  }

  close(): void {
    this.#closing.abort();
    this.#disarm();
  }

  #arm(): void {
    if (this.#cancelTimer !== undefined || this.#isAsking || this.#choice.count === 1) return;
    if (this.#waiting.size === 0 || this.#closing.signal.aborted) return;
    const { clock } = this.#asking;
    this.#armedForMs = Number.POSITIVE_INFINITY;
    for (const node of this.#waiting.keys()) this.#armedForMs = Math.min(this.#armedForMs, this.#lookAtMs(node));
    this.#cancelTimer = clock.after(Math.max(this.#armedForMs - clock.monotonicMs(), 1), () => {
      this.#disarm();
      void this.#look();
    });
  }

  /** When this node will have been silent for long enough, and the last look is no longer new. */
  #lookAtMs(node: string): number {
    const { quietMs, againMs, overdueMs } = overtakenBounds;
    const { heardAtMs = Number.POSITIVE_INFINITY, urgent = 0 } = this.#waiting.get(node) ?? {};
    const soonMs = this.#lookedAtMs + Math.min(this.#pauseMs, againMs);
    const isCalm = node === this.#agreedOn && urgent === 0;
    if (!isCalm) return Math.max(heardAtMs + quietMs, soonMs);
    const overdueAtMs = Math.max(heardAtMs + overdueMs, soonMs);
    return Math.max(heardAtMs + quietMs, Math.min(this.#lookedAtMs + this.#pauseMs, overdueAtMs));
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#armedForMs = Number.POSITIVE_INFINITY;
  }

  async #look(): Promise<void> {
    const { clock } = this.#asking;
    const node = [...this.#waiting.keys()].find((one) => this.#lookAtMs(one) <= clock.monotonicMs());
    if (node === undefined) return this.#arm();
    const others = this.#choice.nodes.filter((other) => other !== node);
    const other = others[this.#turn % others.length] ?? node;
    this.#turn += 1;
    this.#isAsking = true;
    const leading = await whoLeads(this.#asking, other, overtakenBounds.answerMs, this.#closing.signal);
    this.#isAsking = false;
    this.#looked(node, leading === undefined ? undefined : originOf(leading.api));
    if (leading !== undefined && this.#choice.follow(leading.api, leading.term)) this.#leave(node, leading);
    return this.#arm();
  }

  #looked(node: string, leader: string | undefined): void {
    const { electingMs, againMs, calmMs } = overtakenBounds;
    const hasAgreedBefore = leader === node && this.#agreedOn === node;
    this.#agreedOn = leader === node ? node : undefined;
    this.#lookedAtMs = this.#asking.clock.monotonicMs();
    if (leader === undefined) this.#pauseMs = electingMs;
    else this.#pauseMs = hasAgreedBefore ? Math.min(this.#pauseMs * 2, calmMs) : againMs;
  }

  /** Gives up what waits at `node` for another leader, or from before the term in which it leads now. */
  #leave(node: string, { api, term }: Leading): void {
    const giveUps = this.#waiting.get(node)?.giveUps;
    const isAnother = originOf(api) !== node;
    for (const [giveUp, knownTerm = term] of giveUps ?? []) {
      if (isAnother || knownTerm < term) {
        this.count += 1;
        giveUp();
        continue;
      }
      // The first term that was said: whatever comes later is news.
      giveUps?.set(giveUp, term);
    }
  }
}
