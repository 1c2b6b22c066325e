// The state machine of the tests: keeps every command, in one row an entry, and can hand its rows over.
import type { Effects, EntryInfo, SnapshotStateMachine, StateExport, StateRow } from '../src/index.ts';

interface Row extends StateRow {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Where the row of an entry lies, before any flip. */
export function noteKey(index: number, generation = 1): Uint8Array {
  return placed(generation, { key: Buffer.from(String(index).padStart(8, '0')), value: Buffer.alloc(0) }).key;
}

/** Answers with how many commands there are. The command `fail` makes it throw. */
export class Notebook implements SnapshotStateMachine<number> {
  notes: string[] = [];
  readonly headers: string[] = [];
  applied = { index: 0, term: 0 };
  activeVersion = 2;
  written = 0;
  /** Exports that are open. */
  exports = 0;
  #generation = 1;
  #entry: EntryInfo | undefined;
  #entryNotes: string[] = [];
  #pending: Row[] = [];
  readonly #sealed: (readonly Row[])[] = [];
  /** What is on the disk, in order. */
  #rows: readonly Row[] = [];
  readonly #imported = new Map<number, Row[]>();

  begin(entry: EntryInfo): void {
    this.#entry = entry;
    this.headers.push(Buffer.from(entry.header).toString());
  }

  command(bytes: Uint8Array): number {
    const note = Buffer.from(bytes).toString();
    if (note === 'fail') throw new Error('the machine is broken');
    this.#entryNotes.push(note);
    return this.notes.push(note);
  }

  end(): void {
    const { index, term } = this.#entry ?? { index: 0, term: 0 };
    this.applied = { index, term };
    const value = Buffer.from(JSON.stringify({ term, notes: this.#entryNotes }));
    this.#pending.push({ key: Buffer.from(String(index).padStart(8, '0')), value });
    this.#entryNotes = [];
    this.#entry = undefined;
  }

  get pendingBytes(): number {
    return this.#pending.length * 10;
  }

  takeEffects(): Effects {
    const rows = this.#pending;
    this.#pending = [];
    this.#sealed.push(rows);
    return rows.map((row) => placed(this.#generation, row));
  }

  effectsWritten(): void {
    const rows = this.#sealed.shift();
    if (rows === undefined) throw new Error('written before it was sealed');
    this.#rows = [...this.#rows, ...rows];
    this.written += 1;
  }

  exportState(): StateExport {
    const rows = this.#rows;
    this.exports += 1;
    return {
      applied: appliedOf(rows),
      read: async (after, maxBytes) => {
        const behind = after === undefined ? rows : rows.filter(({ key }) => Buffer.compare(key, after) > 0);
        let bytes = 0;
        const end = behind.findIndex(({ key, value }, i) => {
          bytes += key.length + value.length;
          return i > 0 && bytes > maxBytes;
        });
        return end === -1 ? { rows: behind, done: true } : { rows: behind.slice(0, end), done: false };
      },
      close: async () => {
        this.exports -= 1;
      },
    };
  }

  importRows(generation: number, rows: readonly StateRow[]): Effects {
    const read = rows.map(({ key, value }) => ({ key: Buffer.from(key), value: Buffer.from(value) }));
    for (const { key } of read)
      if (!/^\d{8}$/.test(key.toString())) throw new Error(`no row of mine: ${key.toString('hex')}`);
    this.#imported.set(generation, [...(this.#imported.get(generation) ?? []), ...read]);
    return read.map((row) => placed(generation, row));
  }

  async adopt(generation: number): Promise<void> {
    if (this.#entry !== undefined || this.#sealed.length > 0) throw new Error('adopted in the middle of something');
    const rows = this.#imported.get(generation);
    if (rows === undefined) throw new Error('nothing was imported');
    await Promise.resolve();
    this.#imported.clear();
    this.#generation = generation;
    this.#pending = [];
    this.#rows = rows;
    this.applied = appliedOf(rows);
    this.notes = rows.flatMap(notesOf);
  }
}

function placed(generation: number, { key, value }: Row) {
  const head = Buffer.alloc(5, 2);
  head.writeUInt32BE(generation, 1);
  return { key: Buffer.concat([head, key]), value };
}

function appliedOf(rows: readonly Row[]): { readonly index: number; readonly term: number } {
  const last = rows.at(-1);
  return last === undefined
    ? { index: 0, term: 0 }
    : { index: Number(last.key), term: JSON.parse(last.value.toString()).term };
}

function notesOf({ value }: Row): readonly string[] {
  return JSON.parse(value.toString()).notes;
}
