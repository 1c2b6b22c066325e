// What every log store must hold: order, atomicity, durability, and that readers see only what is durable.
import { strict as assert } from 'node:assert';
import type { Turn } from '../log/log-store.ts';
import type { Check } from './check.ts';
import { type Body, contents, entries, entry, type LogStoreHarness, nothing, record } from './log-contents.ts';
import { generationBodies } from './log-generations.ts';

const bodies: Readonly<Record<string, Body>> = {
  'a new log is empty, and knows whose it is': async (log) => {
    assert.deepEqual([log.firstIndex, log.lastIndex, log.logBytes], [1, 0, 0]);
    assert.deepEqual(log.hardState, { term: 0, vote: undefined });
    assert.equal(log.term(0), 0, 'the term before the first entry is 0');
    assert.equal(log.term(1), undefined);
    assert.ok(log.identity.members.includes(log.identity.id));
    assert.ok(log.identity.incarnation.length >= 16);
    assert.equal(log.identity.founding, undefined);
  },

  'what one turn writes is there afterwards, and after opening again': async (log, harness) => {
    const key = Buffer.from([2, 1]);
    await log.write({
      hardState: { term: 3, vote: 'someone' },
      truncateFrom: undefined,
      entries: [...entries(1, 2, 1), entry(3, 3)],
      effects: [{ key, value: Buffer.from('effect') }],
    });
    for (const shown of [log, await harness.reopen(log)]) {
      assert.deepEqual(contents(shown), ['1/1', '2/1', '3/3']);
      assert.deepEqual(shown.hardState, { term: 3, vote: 'someone' });
      assert.equal(Buffer.from(harness.state(shown, key) ?? []).toString(), 'effect');
    }
  },

  'a vote is kept until another hard state is written, and can be taken back by a higher term': async (
    log,
    harness,
  ) => {
    await log.write({ ...nothing, hardState: { term: 1, vote: 'someone' } });
    await log.write({ ...nothing, entries: [entry(1, 1)] });
    assert.deepEqual(log.hardState, { term: 1, vote: 'someone' });
    await log.write({ ...nothing, hardState: { term: 2, vote: undefined } });
    assert.deepEqual((await harness.reopen(log)).hardState, { term: 2, vote: undefined });
  },

  'readers see nothing of a turn before it is durable': async (log) => {
    await log.write({ ...nothing, entries: entries(1, 2, 1) });
    const writing = log.write({
      ...nothing,
      hardState: { term: 2, vote: undefined },
      truncateFrom: 2,
      entries: [entry(2, 2)],
    });
    assert.deepEqual(contents(log), ['1/1', '2/1']);
    assert.equal(log.hardState.term, 0);
    await writing;
    assert.deepEqual(contents(log), ['1/1', '2/2']);
  },

  'a truncation removes the end, and what follows takes its place': async (log, harness) => {
    await log.write({ ...nothing, entries: [...entries(1, 3, 1), ...entries(4, 8, 2)] });
    await log.write({ ...nothing, truncateFrom: 3, entries: [entry(3, 3), entry(4, 4)] });
    const expected = ['1/1', '2/1', '3/3', '4/4'];
    assert.deepEqual(contents(log), expected);
    assert.equal(log.entries(3, 3, 0)[0]?.payload.toString(), entry(3, 3).payload.toString());
    const again = await harness.reopen(log);
    assert.deepEqual(contents(again), expected);
    await again.write({ ...nothing, entries: [entry(5, 4)] });
    assert.deepEqual(contents(await harness.reopen(again)), [...expected, '5/4']);
  },

  'a truncation may leave nothing': async (log, harness) => {
    await log.write({ ...nothing, entries: entries(1, 3, 1) });
    await log.write({ ...nothing, truncateFrom: 1 });
    assert.deepEqual(contents(log), []);
    assert.deepEqual(contents(await harness.reopen(log)), []);
  },

  'entries come up to a number of bytes, and at least one': async (log) => {
    await log.write({ ...nothing, entries: [entry(1, 1, 100), entry(2, 1, 100), entry(3, 1, 1000)] });
    const two = entry(1, 1, 100).bytes.length * 2;
    const counts = [0, two - 1, two, two + 100].map((maxBytes) => log.entries(1, 3, maxBytes).length);
    assert.deepEqual(counts, [1, 1, 2, 2]);
    assert.deepEqual(
      log.entries(3, 3, 0).map(({ index }) => index),
      [3],
    );
    assert.deepEqual(
      log.entries(2, 2, 1e6).map(({ index }) => index),
      [2],
    );
  },

  'effects alone are a turn, and a later delete removes what an earlier put left': async (log, harness) => {
    const [kept, removed] = [Buffer.from([2, 1]), Buffer.from([2, 2])];
    const effects = [kept, removed].map((key) => ({ key, value: Buffer.from('here') }));
    await log.write({ ...nothing, effects });
    await log.write({ ...nothing, effects: [{ key: removed, value: undefined }] });
    const again = await harness.reopen(log);
    assert.equal(Buffer.from(harness.state(again, kept) ?? []).toString(), 'here');
    assert.equal(harness.state(again, removed), undefined);
  },

  'a founding record is kept, and may be replaced until it is confirmed': async (log, harness) => {
    await log.writeFounding({ record: { ...record, clusterId: 'another' }, confirmed: false });
    await log.writeFounding({ record, confirmed: true });
    const again = await harness.reopen(log);
    assert.deepEqual(again.identity.founding, { record, confirmed: true });
    assert.equal(again.identity.incarnation, log.identity.incarnation);
  },

  'two writes in flight are refused': async (log) => {
    const first = log.write({ ...nothing, entries: [entry(1, 1)] });
    await assert.rejects(log.write({ ...nothing, entries: [entry(1, 1)] }));
    await first;
    assert.deepEqual(contents(log), ['1/1']);
  },

  'a turn that does not fit to the log is refused': async (_, harness) => {
    const unfit: Readonly<Record<string, Partial<Turn>>> = {
      'a hole': { entries: [entry(7, 2)] },
      'an entry that is there': { entries: [entry(5, 2)] },
      'a term that falls': { entries: [entry(6, 1)] },
      'a truncation behind the end': { truncateFrom: 7 },
    };
    for (const [what, turn] of Object.entries(unfit)) {
      const log = await harness.open();
      await log.write({ ...nothing, entries: entries(1, 5, 2) });
      await assert.rejects(log.write({ ...nothing, ...turn }), what);
    }
  },

  'a log of thousands of entries reads the same after opening again': async (log, harness) => {
    let next = 1;
    for (let term = 1; term <= 20; term++) {
      await log.write({ ...nothing, entries: entries(next, next + 99, term) });
      next += 100;
    }
    const before = contents(log);
    assert.equal(before.length, 2000);
    assert.deepEqual(contents(await harness.reopen(log)), before);
  },
};

/**
 * Order, atomicity, and that readers see only what is durable; compaction, generations and their sweeping; and what must be
 * refused. Left out is what takes a disk that fails: a crash in the middle of a write, damage, and writes that are rejected.
 */
export function logStoreChecks(harness: LogStoreHarness): readonly Check[] {
  return Object.entries({ ...bodies, ...generationBodies }).map(([name, body]) => ({
    name: `log store: ${name}`,
    run: async () => body(await harness.open(), harness),
  }));
}
