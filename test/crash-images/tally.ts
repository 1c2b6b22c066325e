// The counts of a run, and what of them is a fault.
import type { ImageResult } from './check/images.ts';
import type { Ended } from './check/opener-process.ts';
import type { OrderResult } from './check/order.ts';

const maxShownOfKind = 3;
const maxCharacters = 300;

export class Tally {
  #images = 0;
  readonly #dropSynced: boolean;
  #opened = 0;
  #checked = 0;
  #lost = 0;
  #holes = 0;
  #pages = 0;
  #names = 0;
  /** Whose words to their peers were looked at. */
  #nodes = 0;
  #votes = 0;
  #acknowledgements = 0;
  #early = 0;
  /** Code -> how many. */
  readonly #refused = new Map<string, number>();
  /** Signal or exit code -> how many. */
  readonly #ended = new Map<string, number>();
  /** Sentences. */
  readonly #faults: string[] = [];
  readonly #shown = new Map<string, number>();
  #violations = 0;
  readonly #startedMs = performance.now();

  /** @param dropSynced whether the disk lied: then a node may end by an assertion of LevelDB's own */
  constructor({ dropSynced }: { readonly dropSynced: boolean }) {
    this.#dropSynced = dropSynced;
  }

  add({ image, place, lost, outcome }: ImageResult): void {
    this.#images++;
    this.#pages += lost.pages;
    this.#names += lost.names;
    const where = `image ${image}, place ${place}`;
    if ('endedBy' in outcome) return this.#addEnded(where, outcome);
    this.#checked += outcome.checked;
    this.#lost += outcome.lost.length;
    this.#holes += outcome.holes.length;
    if (outcome.refused === undefined) this.#opened++;
    else {
      const { code, message } = outcome.refused;
      countOne(this.#refused, code);
      const missing = this.#dropSynced ? 'the disk lied' : 'no sync had covered what is missing';
      this.#violation(code, `${where}: ${missing}, and the start was refused: ${message}`);
    }
    for (const what of outcome.lost.slice(0, 1)) this.#violation('lost', `${where}: ${what}`);
    for (const what of outcome.holes.slice(0, 1)) this.#violation('hole', `${where}: ${what}`);
  }

  #addEnded(where: string, { endedBy, says }: Ended): void {
    countOne(this.#ended, endedBy);
    const what = `${where}: ended the process that opened it (${endedBy}): ${says}`;
    // An exit code is an error that nobody caught, and SIGKILL stands for an image that never came to its end: both our own.
    const isOfLevel = endedBy.startsWith('SIG') && endedBy !== 'SIGKILL';
    if (this.#dropSynced && isOfLevel) this.#say(endedBy, what);
    else this.#violation(endedBy, what);
  }

  #violation(kind: string, what: string): void {
    this.#violations++;
    this.#say(kind, what);
  }

  /** The first few of each kind, and not the whole of their advice. */
  #say(kind: string, what: string): void {
    const shown = countOne(this.#shown, kind);
    if (shown <= maxShownOfKind) this.#faults.push(what.slice(0, maxCharacters));
  }

  get images(): number {
    return this.#images;
  }

  addOrder({ votes, acknowledgements, faults }: OrderResult): void {
    this.#nodes++;
    this.#votes += votes;
    this.#acknowledgements += acknowledgements;
    this.#early += faults.length;
    for (const fault of faults.slice(0, 1)) this.#violation('order', fault);
  }

  /** A run that looked at nothing shows nothing. */
  get #isEmpty(): boolean {
    return this.#checked === 0 || (this.#nodes > 0 && (this.#votes === 0 || this.#acknowledgements === 0));
  }

  get failed(): boolean {
    return this.#violations > 0 || this.#isEmpty;
  }

  lines(): readonly string[] {
    const seconds = (performance.now() - this.#startedMs) / 1_000;
    const ended = totalOf(this.#ended);
    const refused = totalOf(this.#refused);
    return [
      ...this.#faults,
      `images ${this.#images} in ${seconds.toFixed(0)} s; without ${this.#pages} pages and ${this.#names} names that no sync had covered`,
      `opened ${this.#opened}, refused ${refused}${listOf(this.#refused)}, ended the process ${ended}${listOf(this.#ended)}`,
      `acknowledged and looked up ${this.#checked}: lost ${this.#lost}; holes ${this.#holes}`,
      ...(this.#nodes === 0
        ? []
        : [
            `votes ${this.#votes}, acknowledgements of entries ${this.#acknowledgements}: left before their sync ${this.#early}`,
          ]),
    ];
  }
}

function countOne(counts: Map<string, number>, kind: string): number {
  const count = (counts.get(kind) ?? 0) + 1;
  counts.set(kind, count);
  return count;
}

const totalOf = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);

const listOf = (counts: ReadonlyMap<string, number>): string =>
  counts.size === 0 ? '' : ` (${[...counts].map(([kind, count]) => `${kind} ${count}`).join(', ')})`;
