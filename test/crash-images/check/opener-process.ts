// A process that opens images. Its death is an outcome like others: LevelDB ends its process by assertions of its own, and the
// images that are left are opened by the next one.
import { type ChildProcess, fork } from 'node:child_process';
import type { Verdict } from './check-image.ts';
import type { Claims, ImageToOpen } from './claims.ts';

export type Order = Claims | (ImageToOpen & { readonly kind: 'image' });

/** The image ended the process that opened it. */
export interface Ended {
  /** A signal, or an exit code. */
  readonly endedBy: string;
  /** What it had said on its standard error, as one line. */
  readonly says: string;
}

/** An image is opened in less than a second; some hundred times as long stands for one that never comes to an end. */
const openMs = 300_000;
/** Of what a process says about one image; traces of its stack follow. */
const maxSaidCharacters = 600;

export class OpenerProcess {
  readonly #file: string;
  readonly #claims: Claims;
  readonly #limitMs: number;
  #child: ChildProcess | undefined;
  #said = '';
  /** Of the image that is being opened; later ones are ignored. */
  #settle: (outcome: Verdict | Ended) => void = () => undefined;

  /**
   * @param file opener.ts, built
   * @param limitMs after which it is killed
   */
  constructor(file: string, claims: Claims, limitMs = openMs) {
    this.#file = file;
    this.#claims = claims;
    this.#limitMs = limitMs;
  }

  /** One at a time. */
  open(image: ImageToOpen): Promise<Verdict | Ended> {
    const child = this.#started();
    this.#said = '';
    return new Promise((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), this.#limitMs);
      this.#settle = (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      };
      // When it is gone it can be told nothing; 'close' says so.
      child.send({ kind: 'image', ...image } satisfies Order, () => undefined);
    });
  }

  /** Resolves when the process is gone. */
  end(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      child.once('close', () => resolve());
      child.kill('SIGKILL');
    });
  }

  #started(): ChildProcess {
    if (this.#child !== undefined) return this.#child;
    const child = fork(this.#file, { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(0, maxSaidCharacters);
    });
    child.on('message', (verdict: Verdict) => this.#settle(verdict));
    // Not 'exit': by then what it said may not have been read. It may come after an answer, too.
    child.once('close', (code, signal) => {
      this.#child = undefined;
      this.#settle({ endedBy: signal ?? `exit code ${code}`, says: this.#said.trim().replaceAll(/\s+/g, ' ') });
    });
    child.send(this.#claims satisfies Order, () => undefined);
    return child;
  }
}
