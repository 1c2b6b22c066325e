// How many calls are under way at once. Without it a hundred thousand calls made together would all run against their
// attempt's time in the queue of a socket, and be sent to other nodes for no reason.
import { HoldfastError } from '@holdfast/api';
import type { CallEnding } from './call-ending.ts';

export interface GateBounds {
  readonly places: number;
  /** Calls that wait for a place; one more is refused. */
  readonly waiting: number;
}

export class Gate {
  readonly #bounds: GateBounds;
  #inside = 0;
  /** First come, first served. A place whose caller walked away stays in line, empty, until its turn. */
  #line: (() => boolean)[] = [];
  #head = 0;
  #waiting = 0;

  constructor(bounds: GateBounds) {
    this.#bounds = bounds;
  }

  get inside(): number {
    return this.#inside;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * @returns undefined when there is room at once; otherwise resolves to whether the caller got in (or had ended before)
   * @throws HoldfastError HF_OVERLOADED when too many wait already
   */
  enter(ending: CallEnding): Promise<boolean> | undefined {
    if (this.#inside < this.#bounds.places) {
      this.#inside += 1;
      return undefined;
    }
    if (this.#waiting >= this.#bounds.waiting)
      throw new HoldfastError('HF_OVERLOADED', { detail: `${this.#waiting} calls of this client wait already.` });
    this.#waiting += 1;
    return new Promise((resolve) => {
      let open = true;
      const leaveLine = (entered: boolean): boolean => {
        if (!open) return false;
        open = false;
        this.#waiting -= 1;
        ending.whileWaiting(undefined);
        resolve(entered);
        return true;
      };
      this.#line.push(() => leaveLine(true));
      ending.whileWaiting(() => leaveLine(false));
    });
  }

  leave(): void {
    while (this.#head < this.#line.length) {
      const next = this.#line[this.#head];
      this.#head += 1;
      this.#shorten();
      if (next?.() === true) return;
    }
    this.#inside -= 1;
  }

  #shorten(): void {
    if (this.#head < 1_024 && this.#head < this.#line.length) return;
    this.#line = this.#line.slice(this.#head);
    this.#head = 0;
  }
}
