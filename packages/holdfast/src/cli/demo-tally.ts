// What the demo counts: what was promised, what arrived, and when.

export interface Kill {
  readonly killed: string;
  /** By this machine's clock. */
  readonly atMs: number;
  readonly successor: string;
}

export interface Tallied {
  readonly scheduled: number;
  readonly delivered: number;
  readonly lost: number;
  readonly early: number;
  readonly repeated: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Silence that begins later than this after a kill has another cause. */
const silenceWithinMs = 5_000;

export class Tally {
  readonly #due = new Map<string, number>();
  readonly #arrivedMs: number[] = [];
  readonly #latenessMs: number[] = [];
  readonly #seen = new Map<string, number>();

  /** A node acknowledged it. */
  scheduled(id: string, deliverAtMs: number): void {
    this.#due.set(id, deliverAtMs);
  }

  delivered(id: string, atMs: number, latenessMs: number): void {
    this.#arrivedMs.push(atMs);
    this.#latenessMs.push(latenessMs);
    this.#seen.set(id, (this.#seen.get(id) ?? 0) + 1);
  }

  get missing(): number {
    let missing = 0;
    for (const id of this.#due.keys()) if (!this.#seen.has(id)) missing += 1;
    return missing;
  }

  count(): Tallied {
    const latenessMs = this.#latenessMs.toSorted((one, other) => one - other);
    const at = (share: number): number =>
      latenessMs[Math.min(Math.ceil(latenessMs.length * share), latenessMs.length) - 1] ?? 0;
    return {
      scheduled: this.#due.size,
      delivered: this.#seen.size,
      lost: this.missing,
      early: latenessMs.filter((ms) => ms < 0).length,
      repeated: this.#arrivedMs.length - this.#seen.size,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: at(1),
    };
  }

  /** The longest time around a kill in which nothing arrived, in whole ms; undefined when nothing came after it. */
  silenceMs({ atMs }: Pick<Kill, 'atMs'>): number | undefined {
    const arrivedMs = this.#arrivedMs.toSorted((one, other) => one - other);
    let silenceMs: number | undefined;
    for (let at = 1; at < arrivedMs.length; at += 1) {
      const [from = 0, until = 0] = [arrivedMs[at - 1], arrivedMs[at]];
      if (until > atMs && from < atMs + silenceWithinMs) silenceMs = Math.max(silenceMs ?? 0, Math.round(until - from));
    }
    return silenceMs;
  }
}
