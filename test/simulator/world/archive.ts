// What members have let go of: a log that was compacted does not say any more how it began, but the simulator wants to
// apply everything anew, and to compare whole logs. So the entries are kept here at the moment in which a log rises its
// first index above them; by then they are committed, so there is one for each index.
import type { Entry } from '@holdfast/raft';
import type { Operation } from './disk.ts';
import { get, type Tree } from './sorted-map.ts';

/** Where the log of one disk begins. */
interface Bound {
  readonly generation: number;
  readonly firstIndex: number;
}

const kinds = ['empty', 'commands', 'configuration'] as const;
const entryHeadBytes = 28;

export class Archive {
  readonly #entries = new Map<number, Entry>();
  readonly #bounds = new Map<string, Bound>();
  /** Sentences: what two members let go of at one index must be the same. */
  readonly faults: string[] = [];

  /** A batch that changes this disk from `before`. */
  see(disk: string, before: Tree, operations: readonly Operation[]): void {
    for (const { key, value } of operations) {
      if (value === undefined || !key.startsWith('\x01\x30')) continue;
      const row = Buffer.from(value);
      // A fence has one byte.
      if (row.length < 78) continue;
      const next = { generation: row.readUInt32BE(2), firstIndex: Number(row.readBigUInt64BE(22)) };
      const bound = this.#bounds.get(disk);
      this.#bounds.set(disk, next);
      // A flip lets go of a whole log, whatever was in it.
      if (bound?.generation !== next.generation) continue;
      for (let index = bound.firstIndex; index < next.firstIndex; index++) {
        this.#letGo(disk, index, get(before, entryKey(next.generation, index)));
      }
    }
  }

  /** Entries that some disk still has; those that it had applied are committed. */
  keep(disk: string, entries: readonly Entry[], applied: number): void {
    for (const entry of entries) if (entry.index <= applied) this.#take(disk, entry);
  }

  /** The log, with what it has let go of before its first entry. */
  whole(entries: readonly Entry[], firstIndex: number): readonly Entry[] {
    const begun: Entry[] = [];
    for (let index = 1; index < firstIndex; index++) {
      const entry = this.#entries.get(index);
      if (entry === undefined) throw new Error(`nobody had entry ${index}, and a log begins behind it`);
      begun.push(entry);
    }
    return [...begun, ...entries];
  }

  #letGo(disk: string, index: number, raw: Uint8Array | undefined): void {
    if (raw === undefined) return void this.faults.push(`${disk} let go of entry ${index} without having it`);
    const bytes = Buffer.from(raw);
    const kind = kinds[bytes.readUInt8(1)];
    if (kind === undefined) return void this.faults.push(`${disk} had an entry of no kind at ${index}`);
    const term = Number(bytes.readBigUInt64BE(4));
    this.#take(disk, { index, term, kind, payload: bytes.subarray(entryHeadBytes), bytes });
  }

  #take(disk: string, entry: Entry): void {
    const known = this.#entries.get(entry.index);
    if (known === undefined) this.#entries.set(entry.index, entry);
    else if (!Buffer.from(entry.bytes).equals(known.bytes))
      this.faults.push(`${disk} had another entry at ${entry.index} than others`);
  }
}

function entryKey(generation: number, index: number): string {
  const bytes = Buffer.alloc(14);
  bytes.writeUInt16BE(0x0140, 0);
  bytes.writeUInt32BE(generation, 2);
  bytes.writeBigUInt64BE(BigInt(index), 6);
  return bytes.toString('latin1');
}
