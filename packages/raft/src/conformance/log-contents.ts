// What the checks of log stores share: entries to write, and everything that a log shows.
import { strict as assert } from 'node:assert';
import type { Entry } from '../core/message.ts';
import { encodeEntry } from '../log/entry.ts';
import type { LogStore, Turn } from '../log/log-store.ts';

/** What the checks of log stores are given. A check opens one log or several, and none of them is closed but by `reopen`. */
export interface LogStoreHarness {
  /**
   * A new, empty log, not founded, whose own id is among its members. Everything it holds is removed by the harness's owner
   * afterwards.
   */
  open(): Promise<LogStore>;
  /** Closes the log, and opens it again from what is durable, with a state that is at `applied` (0 when not given). */
  reopen(log: LogStore, applied?: number): Promise<LogStore>;
  /** What effects and imports have left under a key. Keys of these checks begin with byte 2. */
  state(log: LogStore, key: Uint8Array): Uint8Array | undefined;
}

export const nothing: Turn = { hardState: undefined, truncateFrom: undefined, entries: [], effects: [] };
export const record = { clusterId: 'a cluster', incarnations: { someone: 'a directory' } };

export function entry(index: number, term: number, size = 10): Entry {
  return encodeEntry(index, term, 'commands', Buffer.alloc(size, `${index}/${term} `));
}

export function entries(from: number, to: number, term: number): readonly Entry[] {
  return Array.from({ length: to - from + 1 }, (_, i) => entry(from + i, term));
}

/** Index and term of everything that the log shows, and that all ways to look agree. */
export function contents(log: LogStore): readonly string[] {
  const { firstIndex, lastIndex } = log;
  if (lastIndex < firstIndex) {
    assert.equal(log.logBytes, 0, 'an empty log has no bytes');
    return [];
  }
  const found = log.entries(firstIndex, lastIndex, Number.POSITIVE_INFINITY);
  let bytes = 0;
  for (const [i, { index, term }] of found.entries()) {
    assert.equal(index, firstIndex + i, 'entries come in order');
    assert.equal(log.term(index), term, `the term of ${index} is the entry's`);
    bytes += found[i]?.bytes.length ?? 0;
  }
  assert.equal(found.length, lastIndex - firstIndex + 1, 'all entries are shown');
  assert.equal(log.logBytes, bytes, 'the bytes add up');
  assert.equal(log.term(lastIndex + 1), undefined, 'nothing is shown behind the end');
  return found.map(({ index, term }) => `${index}/${term}`);
}

export type Body = (log: LogStore, harness: LogStoreHarness) => Promise<void>;
