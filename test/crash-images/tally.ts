// The counts of a run, and what of them is a fault.
import type { ImageResult } from './check/images.ts';
import type { OrderResult } from './check/order.ts';

const maxShownOfKind = 3;
const maxCharacters = 300;

export class Tally {
  #images = 0;
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
  readonly #refused = new Map<string, number>();
  readonly #faults: string[] = [];
  readonly #shown = new Map<string, number>();
  readonly #startedMs = performance.now();

  add({ image, place, lost, verdict }: ImageResult): void {
    this.#images++;
    this.#pages += lost.pages;
    this.#names += lost.names;
    this.#checked += verdict.checked;
    this.#lost += verdict.lost.length;
    this.#holes += verdict.holes.length;
    const where = `image ${image}, place ${place}`;
    if (verdict.refused === undefined) this.#opened++;
    else {
      const { code, message } = verdict.refused;
      this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1);
      this.#say(code, `${where}: no sync had covered what is missing, and the start was refused: ${message}`);
    }
    for (const what of verdict.lost.slice(0, 1)) this.#say('lost', `${where}: ${what}`);
    for (const what of verdict.holes.slice(0, 1)) this.#say('hole', `${where}: ${what}`);
  }

  /** The first few of each kind, and not the whole of their advice. */
  #say(kind: string, what: string): void {
    const shown = (this.#shown.get(kind) ?? 0) + 1;
    this.#shown.set(kind, shown);
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
    for (const fault of faults.slice(0, 1)) this.#say('order', fault);
  }

  /** A run that looked at nothing shows nothing. */
  get #isEmpty(): boolean {
    return this.#checked === 0 || (this.#nodes > 0 && (this.#votes === 0 || this.#acknowledgements === 0));
  }

  get failed(): boolean {
    return this.#shown.size > 0 || this.#isEmpty;
  }

  lines(): readonly string[] {
    const seconds = (performance.now() - this.#startedMs) / 1_000;
    const refused = [...this.#refused].map(([code, count]) => `${code} ${count}`).join(', ');
    return [
      ...this.#faults,
      `images ${this.#images} in ${seconds.toFixed(0)} s; without ${this.#pages} pages and ${this.#names} names that no sync had covered`,
      `opened ${this.#opened}, refused ${this.#images - this.#opened}${refused === '' ? '' : ` (${refused})`}`,
      `acknowledged and looked up ${this.#checked}: lost ${this.#lost}; holes ${this.#holes}`,
      ...(this.#nodes === 0
        ? []
        : [
            `votes ${this.#votes}, acknowledgements of entries ${this.#acknowledgements}: left before their sync ${this.#early}`,
          ]),
    ];
  }
}
