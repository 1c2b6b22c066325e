// What readers see of the log: as it was after the last turn that is durable.
import { strict as assert } from 'node:assert';
import type { Entry } from '../../core/message.ts';
import { RaftError } from '../../raft-error.ts';
import type { Database } from '../database.ts';
import type { EntryCache } from '../entry-cache.ts';
import { entryKey } from '../keyspace.ts';
import type { Restore, Turn } from '../log-store.ts';
import { checkedEntry } from '../recover.ts';
import { TermRuns } from '../term-runs.ts';
import type { TurnRow } from '../turn-row.ts';
import { type ConfigurationRow, ConfigurationRows } from './configuration-rows.ts';

export class LogImage {
  readonly #database: Database;
  readonly #cache: EntryCache;
  #last: TurnRow;
  #terms: TermRuns;
  #configurations: ConfigurationRows;

  constructor(
    database: Database,
    cache: EntryCache,
    { last, terms, configurations }: { last: TurnRow; terms: TermRuns; configurations: ConfigurationRows },
  ) {
    this.#database = database;
    this.#cache = cache;
    this.#last = last;
    this.#terms = terms;
    this.#configurations = configurations;
  }

  get last(): TurnRow {
    return this.#last;
  }

  get terms(): TermRuns {
    return this.#terms;
  }

  get configurations(): ConfigurationRows {
    return this.#configurations;
  }

  term(index: number): number | undefined {
    if (index === 0) return 0;
    const { firstIndex, lastIndex } = this.#last;
    return index < firstIndex - 1 || index > lastIndex ? undefined : this.#terms.at(index);
  }

  entries(from: number, toInclusive: number, maxBytes: number): readonly Entry[] {
    const { firstIndex, lastIndex } = this.#last;
    assert(from >= firstIndex && toInclusive <= lastIndex && from <= toInclusive);
    const entries: Entry[] = [];
    let bytes = 0;
    for (let index = from; index <= toInclusive; index++) {
      const entry = this.#entry(index);
      bytes += entry.bytes.length;
      if (entries.length > 0 && bytes > maxBytes) break;
      entries.push(entry);
    }
    return entries;
  }

  entryBytes(index: number): number {
    return this.#entry(index).bytes.length;
  }

  /** The turn is durable. */
  show({ truncateFrom, entries }: Turn, next: TurnRow, configurations: readonly ConfigurationRow[]): void {
    if (truncateFrom !== undefined) {
      this.#terms.truncate(truncateFrom);
      this.#cache.truncate(truncateFrom);
      this.#configurations.remove(this.#configurations.from(truncateFrom));
    }
    for (const entry of entries) {
      this.#terms.append(entry.index, entry.term);
      this.#cache.append(entry);
    }
    for (const row of configurations) this.#configurations.append(row);
    this.#cache.compact(next.firstIndex);
    this.#terms.compact(next.firstIndex);
    this.#configurations.remove(this.#configurations.before(next.firstIndex));
    this.#last = next;
  }

  /** The flip is durable. */
  showFlip({ index, term, configuration }: Restore, next: TurnRow): void {
    this.#cache.truncate(0);
    this.#terms = new TermRuns([{ index, term }]);
    this.#configurations = new ConfigurationRows([{ index, configuration, previousIndex: 0 }]);
    this.#last = next;
  }

  #entry(index: number): Entry {
    const cached = this.#cache.get(index);
    if (cached !== undefined) return cached;
    const row = this.#database.getSync(entryKey(this.#last.generation, index));
    if (row === undefined) throw new RaftError('HF_LOG_GAP', `The entry at index ${index} is missing.`, { index });
    return checkedEntry(index, this.term(index), row);
  }
}
