// What an election costs: the groups are known at once, their holds are loaded behind, deliveries go first.
import { origin } from '@holdfast/store';
import type { Group } from './group.ts';
import type { Life } from './life.ts';

export class Rebuild {
  readonly #life: Life;
  readonly #loaded: (group: Group) => void;
  readonly #waiting = new Set<Group>();
  #isRunning = false;
  #beganMs: number | undefined;
  #tookMs: number | undefined;

  /** @param loaded called once a group's holds are in memory */
  constructor(life: Life, loaded: (group: Group) => void) {
    this.#life = life;
    this.#loaded = loaded;
  }

  /** From `begin` applied to the last hold of those groups in memory; so far, while it runs. In ms. */
  get tookMs(): number {
    if (this.#beganMs === undefined) return 0;
    return this.#tookMs ?? this.#life.ports.clock.monotonicMs() - this.#beganMs;
  }

  add(group: Group): void {
    this.#waiting.add(group);
  }

  drop(group: Group): void {
    this.#waiting.delete(group);
  }

  /** Loads what waits, slice by slice. */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#beganMs ??= this.#life.ports.clock.monotonicMs();
    for (let group = this.#next(); group !== undefined && !this.#life.isStopped(); group = this.#next()) {
      await this.#load(group);
      if (!this.#waiting.delete(group) || this.#life.isStopped()) continue;
      group.holdsLoaded = true;
      this.#loaded(group);
    }
    this.#isRunning = false;
    this.#tookMs ??= this.#life.ports.clock.monotonicMs() - this.#beganMs;
  }

  /** Groups that somebody waits for come first: a repeated receive is answered from its group's holds. */
  #next(): Group | undefined {
    let first: Group | undefined;
    for (const group of this.#waiting) {
      if (group.waiters.size > 0) return group;
      first ??= group;
    }
    return first;
  }

  async #load(group: Group): Promise<void> {
    const { bounds, leases, ports } = this.#life;
    let after = origin;
    for (;;) {
      // View and `touched` stand in one synchronous step: what an entry changes from here on is newer than the slice.
      const view = ports.store.view();
      const touched = new Set<number>();
      group.touched = touched;
      try {
        const slice = await view.holds(group.topic, group.number, after, bounds.holdsPerSlice);
        // A group that was deleted meanwhile is out of memory; what stood here for it would be released for ever.
        if (this.#life.isStopped() || !this.#waiting.has(group)) return;
        for (const hold of slice) {
          if (hold.state === 'leased' && !touched.has(hold.position.seq)) leases.add(group, hold, view.clockMs);
        }
        const last = slice.at(-1);
        if (last === undefined || slice.length < bounds.holdsPerSlice) return;
        after = last.position;
      } finally {
        group.touched = undefined;
        await view.close();
      }
    }
  }
}
