import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encode, entriesOf, headerBytes, TestDisk } from '../../../test/core/harness.ts';
import { LogView } from './log-view.ts';

const viewOf = (...terms: number[]): { disk: TestDisk; view: LogView } => {
  const disk = new TestDisk(terms);
  return { disk, view: new LogView(disk) };
};

const appendTo = (view: LogView, ...terms: number[]): void => {
  for (const entry of entriesOf(terms, view.lastIndex + 1)) view.append(entry);
};

/** The disk finishes the write that `view` gives out. */
const write = (disk: TestDisk, view: LogView): void => {
  const taken = view.takeWrite();
  if (taken === undefined) return;
  disk.write({ hardState: undefined, restore: undefined, messagesAfterWrite: [], ...taken });
  const last = taken.entries.at(-1);
  view.written(last?.index ?? 0, last?.term ?? 0);
};

test('what is appended is there at once, and durable after its write', () => {
  const { disk, view } = viewOf(1, 1);
  appendTo(view, 2, 2);
  expect([view.lastIndex, view.lastTerm, view.stableIndex]).toEqual([4, 2, 2]);
  write(disk, view);
  expect(view.stableIndex).toBe(4);
  expect(view.takeWrite()).toBeUndefined();
});

test('a log has no gap, no falling term, and one write at a time', () => {
  const { view } = viewOf(1, 2);
  expect(() => view.append(encode(4, 2, 'commands', new Uint8Array(0)))).toThrow('no gap');
  expect(() => view.append(encode(3, 1, 'commands', new Uint8Array(0)))).toThrow('terms never fall');
  appendTo(view, 2);
  view.takeWrite();
  expect(() => view.takeWrite()).toThrow('one write at a time');
  expect(() => view.written(3, 1)).toThrow('what was written');
});

test('a disk that does not show what was written stops the node', () => {
  const { view } = viewOf(1);
  appendTo(view, 1);
  view.takeWrite();
  expect(() => view.written(2, 1)).toThrow('the log reader shows');
});

test('what is committed is never cut off', () => {
  const { view } = viewOf(1, 1, 1);
  expect(() => view.truncate(2, 2)).toThrow('at or below the commit index');
  view.truncate(3, 2);
  expect(view.lastIndex).toBe(2);
});

test('the reader is not asked for what was cut off here and is still there', () => {
  const { disk, view } = viewOf(1, 1, 1, 1);
  view.truncate(2, 0);
  appendTo(view, 3);
  expect(disk.term(2)).toBe(1);
  expect([view.term(2), view.term(3), view.lastIndex]).toEqual([3, undefined, 2]);
});

test('two truncations before one write leave the deeper one', () => {
  const { disk, view } = viewOf(1, 1, 1, 1);
  view.truncate(4, 0);
  appendTo(view, 2);
  view.truncate(2, 0);
  appendTo(view, 3);
  expect(view.takeWrite()).toMatchObject({ truncateFrom: 2, entries: [{ index: 2, term: 3 }] });
  expect(disk.lastIndex).toBe(4);
});

test('entries that were never given out leave no truncation behind', () => {
  const { view } = viewOf(1);
  appendTo(view, 2, 2);
  view.truncate(2, 1);
  appendTo(view, 3);
  expect(view.takeWrite()).toMatchObject({ truncateFrom: undefined, entries: [{ index: 2, term: 3 }] });
});

test('a write that ends after its entries were replaced makes only what is left of it durable (ABA)', () => {
  const { disk, view } = viewOf(1);
  appendTo(view, 1, 1, 1); // 2, 3, 4
  const taken = view.takeWrite();
  view.truncate(3, 0);
  appendTo(view, 2, 2); // 3, 4 again
  disk.write({
    hardState: undefined,
    restore: undefined,
    truncateFrom: undefined,
    entries: taken?.entries ?? [],
    messagesAfterWrite: [],
  });
  view.written(4, 1);
  expect(view.stableIndex).toBe(2);
  expect(view.takeWrite()).toMatchObject({
    truncateFrom: 3,
    entries: [
      { index: 3, term: 2 },
      { index: 4, term: 2 },
    ],
  });
});

test('entries are read in pieces: at least one, no more bytes than asked for', () => {
  const { disk, view } = viewOf(1, 1, 1);
  appendTo(view, 1, 1, 1);
  const size = headerBytes + 1;
  expect(view.entriesFrom(1, 2 * size).map((entry) => entry.index)).toEqual([1, 2]);
  expect(view.entriesFrom(4, 2 * size).map((entry) => entry.index)).toEqual([4, 5]);
  expect(view.entriesFrom(6, 0).map((entry) => entry.index)).toEqual([6]);
  expect(view.entriesFrom(3, 100).map((entry) => entry.index)).toEqual([3]);
  expect(() => view.durableEntries(1, 4, 100)).toThrow('only durable entries');
  expect(disk.lastIndex).toBe(3);
});

test('the last index with a term up to a limit is what a walk from the end finds', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3), { maxLength: 30 }),
      fc.nat(30),
      fc.nat(40),
      fc.nat(70),
      (steps, cut, index, term) => {
        let rising = 1;
        const terms = steps.map((step) => (rising += step));
        const { view } = viewOf(...terms.slice(0, cut));
        appendTo(view, ...terms.slice(cut));
        let walked = Math.min(index, terms.length);
        while (walked > 0 && (terms[walked - 1] ?? 0) > term) walked -= 1;
        expect(view.lastWithTermUpTo(index, term)).toBe(walked);
      },
    ),
  );
});

test('any order of appends, truncations and writes ends with the disk holding this log', () => {
  const action = fc.oneof(
    fc.record({ kind: fc.constant('append'), count: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant('replace'), count: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ kind: fc.constant('begin'), count: fc.constant(0) }),
    fc.record({ kind: fc.constant('end'), count: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      const { disk, view } = viewOf(1, 1);
      const model = [1, 1];
      let term = 1;
      let writing: ReturnType<LogView['takeWrite']>;
      const end = (): void => {
        const last = writing?.entries.at(-1);
        if (writing === undefined || last === undefined) return;
        disk.write({ hardState: undefined, restore: undefined, messagesAfterWrite: [], ...writing });
        view.written(last.index, last.term);
        writing = undefined;
        // What counts as durable is this log's, and on the disk.
        expect(disk.log.slice(0, view.stableIndex).map((entry) => entry.term)).toEqual(
          model.slice(0, view.stableIndex),
        );
      };
      for (const { kind, count } of actions) {
        if (kind === 'append') {
          appendTo(view, ...Array.from({ length: count }, () => term));
          model.push(...Array.from({ length: count }, () => term));
        } else if (kind === 'replace' && model.length > 0) {
          term += 1;
          const from = Math.max(1, model.length - count + 1);
          view.truncate(from, 0);
          model.length = from - 1;
          appendTo(view, term);
          model.push(term);
        } else if (kind === 'begin') writing ??= view.takeWrite();
        else if (kind === 'end') end();
      }
      end();
      write(disk, view);
      expect(disk.log.map((entry) => entry.term)).toEqual(model);
      expect(view.stableIndex).toBe(model.length);
    }),
  );
});
