// Effects that were applied and are not written yet, as layers. A layer that a view or a turn has taken is sealed and
// never changes again [P2]; a turn that is on disk drops its own layers as a whole, never single keys: a key may have been
// written again meanwhile [P3].
import { type Table, tableOffset, tables } from '../rows/keyspace.ts';
import type { Effect } from '../store.ts';

/** More sealed layers than that are merged, so that a point read looks into few. */
const maxSealed = 8;

export class Layer {
  /** By key, as a latin1 string: its order is the order of the bytes. */
  readonly rows: Map<string, Effect>;
  bytes: number;
  readonly #sorted = new Map<Table, readonly string[]>();

  constructor(rows: Map<string, Effect>) {
    this.rows = rows;
    this.bytes = 0;
    for (const effect of rows.values()) this.bytes += sizeOf(effect);
  }

  /** Only before it is sealed. */
  add(rows: ReadonlyMap<string, Effect>): void {
    for (const [id, effect] of rows) {
      const before = this.rows.get(id);
      this.bytes += sizeOf(effect) - (before === undefined ? 0 : sizeOf(before));
      this.rows.set(id, effect);
    }
  }

  /** Keys of one table, in order. Only of a sealed layer. */
  sorted(table: Table): readonly string[] {
    let ids = this.#sorted.get(table);
    if (ids === undefined) {
      const code = tables[table];
      ids = [...this.rows.keys()].filter((id) => id.charCodeAt(tableOffset) === code).sort();
      this.#sorted.set(table, ids);
    }
    return ids;
  }
}

function sizeOf({ key, value }: Effect): number {
  return key.length + (value?.length ?? 0);
}

export class Layers {
  #open = new Layer(new Map());
  /** Sealed, and taken by no turn. Oldest first, like the next. */
  #sealed: Layer[] = [];
  #writing: Layer[] = [];

  /** The effects of one whole entry, which become visible with this call. `rows` belongs to the layers from then on. */
  add(rows: Map<string, Effect>): void {
    if (this.#open.rows.size === 0) this.#open = new Layer(rows);
    else this.#open.add(rows);
  }

  get(id: string): Effect | undefined {
    return this.#open.rows.get(id) ?? newest(this.#sealed, id) ?? newest(this.#writing, id);
  }

  /** Seals the open layer. @returns all layers, oldest first; none of them changes any more */
  freeze(): readonly Layer[] {
    if (this.#open.rows.size > 0) {
      this.#sealed.push(this.#open);
      this.#open = new Layer(new Map());
      if (this.#sealed.length > maxSealed) this.#sealed = [merge(this.#sealed)];
    }
    return [...this.#writing, ...this.#sealed];
  }

  /** Everything that no turn has taken, as one layer; each call is answered by one call of `written`. */
  take(): readonly Effect[] {
    if (this.#open.rows.size > 0) this.#sealed.push(this.#open);
    this.#open = new Layer(new Map());
    const [first] = this.#sealed;
    const layer = this.#sealed.length === 1 && first !== undefined ? first : merge(this.#sealed);
    this.#sealed = [];
    this.#writing.push(layer);
    return [...layer.rows.values()];
  }

  /** The oldest layer that was taken is on disk. */
  written(): void {
    this.#writing.shift();
  }

  /** A layer was taken, and is not written yet. */
  get inFlight(): boolean {
    return this.#writing.length > 0;
  }

  /** Of what no turn has taken. */
  get pendingBytes(): number {
    return this.#sealed.reduce((sum, layer) => sum + layer.bytes, this.#open.bytes);
  }
}

/** @param layers oldest first */
export function newest(layers: readonly Layer[], id: string): Effect | undefined {
  for (let index = layers.length - 1; index >= 0; index -= 1) {
    const effect = layers[index]?.rows.get(id);
    if (effect !== undefined) return effect;
  }
  return undefined;
}

function merge(layers: readonly Layer[]): Layer {
  const merged = new Layer(new Map());
  for (const layer of layers) merged.add(layer.rows);
  return merged;
}
