// For tests of programs that use Holdfast: a store in memory, on a clock that moves when the test says so. The code that
// runs is the one that runs in production; only time and disk are the test's.
import { durationMs } from '@holdfast/client';
import type { MemberPorts } from '@holdfast/server';
import { MemoryLevel } from 'memory-level';
import type { TestTime } from './open.ts';

export interface TestClock extends TestTime {
  /** The time that the store sees. */
  now(): Date;
  /**
   * Lets time pass. What falls due happens in order of time, each with everything that follows from it (deliveries,
   * handlers, their acks), as far as that needs nothing from outside: a handler that waits for a real socket is not waited for.
   *
   * @param duration '3d', '90m', or ms
   */
  advance(duration: number | string): Promise<void>;
}

/** @param start where it stands at first, a Date or ISO 8601 */
export function testClock(start: Date | string = '2030-01-01T00:00:00Z'): TestClock {
  const startMs = new Date(start).getTime();
  if (Number.isNaN(startMs)) throw new TypeError(`"${String(start)}" is no time.`);
  return new SteppedTime(startMs);
}

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A test has as much of it as it needs. */
const memory = { freeBytes: () => Promise.resolve(Number.MAX_SAFE_INTEGER), writingMs: () => 0 };
/** What follows from one timer must come to rest; more turns of the event loop than this are a loop without end. */
const turnsToRest = 10_000;
class SteppedTime implements TestClock {
  #monotonicMs = 0;
  #wallMs: number;
  readonly #timers = new Set<Timer>();
  #order = 0;
  /** Callbacks that wait for their turn of the event loop only. */
  #immediates = 0;
  #advancing: Promise<void> = Promise.resolve();

  readonly clock: MemberPorts['clock'] = {
    monotonicMs: () => this.#monotonicMs,
    wallMs: () => this.#wallMs,
    after: (delayMs, callback) => (delayMs <= 0 ? this.#soon(callback) : this.#later(delayMs, callback)),
  };

  constructor(startMs: number) {
    this.#wallMs = startMs;
  }

  now(): Date {
    return new Date(this.#wallMs);
  }

  async advance(duration: number | string): Promise<void> {
    const ms = durationMs(duration, 'duration');
    const advancing = this.#advancing.then(() => this.#pass(ms));
    // One that failed has told its caller; the next one starts afresh.
    this.#advancing = advancing.catch(() => undefined);
    await advancing;
  }

  async openDatabase() {
    const database = new MemoryLevel<Uint8Array, Uint8Array>({ keyEncoding: 'view', valueEncoding: 'view' });
    await database.open();
    return { database, disk: memory, close: () => database.close() };
  }

  /** The wall stands still meanwhile: a test begins at the time that it asked for. */
  async runUntil(holds: () => boolean): Promise<void> {
    for (;;) {
      await this.#rest();
      if (holds()) return;
      const next = this.#next();
      if (next === undefined) throw new Error('Nothing is left to wait for.');
      this.#fire(next);
    }
  }

  async runWhile<T>(work: Promise<T>): Promise<T> {
    let ended = false;
    const end = (): void => {
      ended = true;
    };
    work.then(end, end);
    await this.runUntil(() => ended);
    return work;
  }

  async #pass(ms: number): Promise<void> {
    await this.#rest();
    const untilMs = this.#monotonicMs + ms;
    for (let next = this.#next(); next !== undefined && next.atMs <= untilMs; next = this.#next()) {
      this.#wallMs += next.atMs - this.#monotonicMs;
      this.#fire(next);
      await this.#rest();
    }
    this.#wallMs += untilMs - this.#monotonicMs;
    this.#monotonicMs = untilMs;
  }

  #soon(callback: () => void): () => void {
    this.#immediates += 1;
    let waits = true;
    const done = (): boolean => {
      if (!waits) return false;
      waits = false;
      this.#immediates -= 1;
      return true;
    };
    const immediate = setImmediate(() => {
      if (done()) callback();
    });
    return () => {
      if (done()) clearImmediate(immediate);
    };
  }

  #later(delayMs: number, callback: () => void): () => void {
    // Whole ms: cluster time counts in them, and a wake-up in between would find nothing due.
    const timer = { atMs: this.#monotonicMs + Math.ceil(delayMs), order: (this.#order += 1), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers)
      if (next === undefined || timer.atMs < next.atMs || (timer.atMs === next.atMs && timer.order < next.order))
        next = timer;
    return next;
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer);
    this.#monotonicMs = Math.max(this.#monotonicMs, timer.atMs);
    timer.callback();
  }

  async #rest(): Promise<void> {
    for (let turn = 0; turn < turnsToRest; turn += 1) {
      // A turn with nothing before and nothing after it: whatever promises set off has run, and nothing waits for a turn.
      const before = this.#immediates;
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (before === 0 && this.#immediates === 0) return;
    }
    throw new Error('The store does not come to rest: something repeats without time passing.');
  }
}
