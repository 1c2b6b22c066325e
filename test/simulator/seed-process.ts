// A process that runs seeds, one after the other, as another one tells it. It is killed when a seed takes too long: what
// turns in a circle inside one event can not be stopped from within.
import { type ChildProcess, fork } from 'node:child_process';
import type { ProfileName } from './profile.ts';
import type { CellCounts } from './reach/cells.ts';
import type { LineCounts } from './reach/lines.ts';
import type { SeedResult } from './run-seed.ts';

/** Nearly everything in a run lives shortly: a sixth of the time went into collecting it in V8's 16 MiB. */
const youngMiB = ['--max-semi-space-size=128'];

export interface SeedOrder {
  readonly seed: number;
  readonly profile: ProfileName;
  readonly endsAtViolation?: boolean;
}

export type SeedReport = Omit<SeedResult, 'lines'> & {
  /** What was reached in raft's core, where the process counts it. */
  readonly cells?: CellCounts | undefined;
  readonly coreLines?: LineCounts | undefined;
};

export interface Instruments {
  /** A module that is loaded before the simulator. */
  readonly module: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Set for those that `SeedProcess` starts: they call `takeOrders`. */
const marker = 'HOLDFAST_SIMULATOR_WORKER';
export const takesOrders = process.env[marker] === '1';

/** In the started process: runs what it is told, and reports each. */
export function takeOrders(run: (order: SeedOrder) => Promise<SeedReport>): void {
  process.on('message', (order: SeedOrder) => {
    run(order).then(
      (report) => process.send?.(report),
      (error: Error) => process.send?.(`a seed comes to its end: ${error.stack ?? error.message}`),
    );
  });
  process.on('disconnect', () => process.exit(0));
}

export class SeedProcess {
  readonly #file: string;
  readonly #limitMs: number;
  readonly #instruments: Instruments | undefined;
  #child: ChildProcess | undefined;

  /**
   * @param file the simulator, built
   * @param limitMs real time that one seed may take
   */
  constructor(file: string, limitMs: number, instruments?: Instruments) {
    this.#file = file;
    this.#limitMs = limitMs;
    this.#instruments = instruments;
  }

  /** One at a time. @returns what the seed found; the sentence when it did not come to an end */
  run(order: SeedOrder): Promise<SeedReport | string> {
    const child = this.#started();
    return new Promise((resolve) => {
      const end = (outcome: SeedReport | string): void => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve(outcome);
      };
      const stop = (outcome: string): void => {
        this.end();
        end(outcome);
      };
      const timer = setTimeout(
        () => stop(`a seed comes to its end: it was killed after ${this.#limitMs / 1_000} s`),
        this.#limitMs,
      );
      child.on('message', (report: SeedReport | string) => end(report));
      child.on('exit', (code, signal) => stop(`a seed comes to its end: its process ended with ${code ?? signal}`));
      child.on('error', (error) => stop(`a seed comes to its end: ${error.message}`));
      child.send(order);
    });
  }

  end(): void {
    this.#child?.removeAllListeners();
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  #started(): ChildProcess {
    const { module, env = {} } = this.#instruments ?? {};
    const preload = module === undefined ? [] : ['--import', module];
    const execArgv = [...process.execArgv, ...youngMiB, ...preload];
    this.#child ??= fork(this.#file, { execArgv, env: { ...process.env, ...env, [marker]: '1' } });
    return this.#child;
  }
}
