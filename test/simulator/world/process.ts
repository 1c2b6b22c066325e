// One life of a process: what a machine does for it between its start and its end. Whatever happens to it (timers, sockets,
// its disk) goes through this gate: nothing reaches a dead process, and a paused one finds everything at once afterwards.
import type { Scheduled, TrueTime } from './clock.ts';

/** After a pause timers run before sockets are read, as an event loop does it. */
export type Source = 'timer' | 'disk' | 'socket';
const sources: readonly Source[] = ['timer', 'disk', 'socket'];

export interface Process {
  readonly name: string;
  readonly alive: boolean;
  readonly paused: boolean;
  /** Runs the action in this process after `delayMs` of true time: later when it is paused then, never when it is dead. */
  after(delayMs: number, source: Source, action: () => void): Scheduled;
  /** The same, now: without an event of its own when the process is awake. */
  arrive(source: Source, action: () => void): void;
  pause(): void;
  resume(): void;
  /** `kill -9`. What it began to do elsewhere (a write, a message on the wire) may still end. */
  kill(): void;
}

/** @param onRun told before anything runs in it */
export function createProcess(name: string, time: TrueTime, onRun: () => void = () => {}): Process {
  let alive = true;
  let paused = false;
  let missed: { readonly source: Source; readonly run: () => void }[] = [];

  function arrive(source: Source, run: () => void): void {
    if (!alive) return;
    if (paused) {
      missed.push({ source, run });
      return;
    }
    onRun();
    run();
  }

  return {
    name,
    get alive() {
      return alive;
    },
    get paused() {
      return paused;
    },
    after(delayMs, source, action) {
      let wanted = true;
      const run = (): void => {
        if (wanted) action();
      };
      const event = time.after(delayMs, () => arrive(source, run));
      return {
        cancel: () => {
          wanted = false;
          event.cancel();
        },
      };
    },
    arrive,
    pause: () => {
      paused = true;
    },
    resume() {
      paused = false;
      const waiting = missed;
      missed = [];
      for (const kind of sources) {
        for (const { source, run } of waiting) if (source === kind) time.after(0, () => arrive(source, run));
      }
    },
    kill: () => {
      alive = false;
      missed = [];
    },
  };
}
