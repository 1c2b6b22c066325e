// What every log store must hold of compaction, configurations, and the flip to a state that was imported.
import { strict as assert } from 'node:assert';
import { encodeEntry } from '../log/entry.ts';
import type { LogStore, Turn } from '../log/log-store.ts';
import { type Body, contents, entries, entry, type LogStoreHarness, nothing } from './log-contents.ts';

const members = (who: string): Uint8Array => Buffer.from(`members: ${who}`);

function configuration(index: number, term: number, who: string) {
  return encodeEntry(index, term, 'configuration', members(who));
}

function shown(log: LogStore): readonly string[] {
  return log.configurations.map((it) => `${it.index} ${Buffer.from(it.configuration).toString()}`);
}

function stateKey(generation: number, name: string): Uint8Array {
  const head = Buffer.alloc(5, 2);
  head.writeUInt32BE(generation, 1);
  return Buffer.concat([head, Buffer.from(name)]);
}

const row = (generation: number, name: string) => ({ key: stateKey(generation, name), value: Buffer.from(name) });

async function sweepAll(log: LogStore): Promise<void> {
  for (let steps = 0; log.unswept > 0; steps++) {
    assert.ok(steps < 100, 'sweeping comes to an end');
    await log.sweep();
  }
}

/** A log with 20 entries, and a state of two rows, that has moved to an imported state at index 100, term 7. */
async function flipped(log: LogStore, harness: LogStoreHarness): Promise<{ log: LogStore; from: number; to: number }> {
  const from = log.generation;
  const effects = [row(from, 'old'), row(from, 'older')];
  await log.write({ ...nothing, entries: [configuration(1, 1, 'a'), ...entries(2, 20, 1)], effects });
  const to = await log.newGeneration();
  assert.ok(to > from);
  await log.writeImport(to, [row(to, 'new')]);
  await log.writeImport(to, [row(to, 'newer')]);
  assert.equal(log.generation, from, 'an import changes nothing before the flip');
  assert.equal(contents(log).length, 20);
  await log.write({
    ...nothing,
    hardState: { term: 9, vote: 'someone' },
    restore: { index: 100, term: 7, configuration: members('b'), generation: to },
  });
  assert.equal(Buffer.from(harness.state(log, stateKey(to, 'new')) ?? []).toString(), 'new');
  return { log, from, to };
}

export const generationBodies: Readonly<Record<string, Body>> = {
  'compaction hides what lies before it, and keeps the term of the last one that is gone': async (log, harness) => {
    await log.write({ ...nothing, entries: [...entries(1, 5, 1), ...entries(6, 9, 3)] });
    await log.write({ ...nothing, compactTo: 4 });
    const check = (it: LogStore): void => {
      assert.equal(it.firstIndex, 4);
      assert.deepEqual(contents(it), ['4/1', '5/1', '6/3', '7/3', '8/3', '9/3']);
      assert.deepEqual([it.term(0), it.term(2), it.term(3)], [0, undefined, 1]);
      assert.throws(() => it.entries(3, 4, 1e6), 'what is gone is not read');
    };
    check(log);
    const again = await harness.reopen(log, 9);
    check(again);
    await again.write({ ...nothing, compactTo: 7, entries: [entry(10, 3)] });
    assert.deepEqual(contents(await harness.reopen(again, 9)), ['7/3', '8/3', '9/3', '10/3']);
  },

  'compaction may leave nothing but the term before it, and the log goes on behind it': async (log, harness) => {
    await log.write({ ...nothing, entries: [...entries(1, 5, 1), ...entries(6, 9, 3)] });
    await log.write({ ...nothing, compactTo: 10 });
    const again = await harness.reopen(log, 9);
    assert.deepEqual([again.firstIndex, again.lastIndex, again.term(9), again.logBytes], [10, 9, 3, 0]);
    await again.write({ ...nothing, entries: [entry(10, 3), entry(11, 4)] });
    assert.deepEqual(contents(await harness.reopen(again, 9)), ['10/3', '11/4']);
  },

  'a truncation after compaction goes back to its bound at most': async (log, harness) => {
    await log.write({ ...nothing, entries: entries(1, 9, 2), compactTo: undefined });
    await log.write({ ...nothing, compactTo: 5 });
    await log.write({ ...nothing, truncateFrom: 5, entries: [entry(5, 3)] });
    assert.deepEqual(contents(await harness.reopen(log, 4)), ['5/3']);
    await assert.rejects(log.write({ ...nothing, truncateFrom: 4 }));
  },

  'compaction neither goes back nor beyond the end': async (log) => {
    await log.write({ ...nothing, entries: entries(1, 9, 2) });
    await log.write({ ...nothing, compactTo: 5 });
    await assert.rejects(log.write({ ...nothing, compactTo: 4 }));
    await assert.rejects(log.write({ ...nothing, compactTo: 11 }));
  },

  'a log that was compacted many times reads the same after opening again': async (log, harness) => {
    for (let index = 1; index <= 300; index++) {
      const compactTo = index > 10 && index % 3 === 0 ? index - 10 : undefined;
      await log.write({ ...nothing, entries: [entry(index, Math.ceil(index / 40))], compactTo });
    }
    const before = contents(log);
    assert.equal(log.firstIndex, 290);
    assert.deepEqual(contents(await harness.reopen(log, 295)), before);
  },

  'configurations stand beside the log, and go with their entries': async (log, harness) => {
    assert.deepEqual(shown(log), []);
    await log.write({ ...nothing, entries: [entry(1, 1), configuration(2, 1, 'a'), entry(3, 1)] });
    await log.write({ ...nothing, entries: [configuration(4, 1, 'b'), configuration(5, 1, 'c'), entry(6, 1)] });
    const all = ['2 members: a', '4 members: b', '5 members: c'];
    assert.deepEqual(shown(log), all);
    assert.deepEqual(shown(await harness.reopen(log)), all);
    await log.write({ ...nothing, truncateFrom: 5, entries: [entry(5, 2), configuration(6, 2, 'd')] });
    assert.deepEqual(shown(log), ['2 members: a', '4 members: b', '6 members: d']);
    assert.deepEqual(shown(await harness.reopen(log)), ['2 members: a', '4 members: b', '6 members: d']);
    await log.write({ ...nothing, truncateFrom: 2, entries: [entry(2, 3)] });
    assert.deepEqual(shown(await harness.reopen(log)), []);
  },

  'compaction keeps the configuration that is in force where the log begins': async (log, harness) => {
    const said = [configuration(2, 1, 'a'), configuration(3, 1, 'b'), entry(4, 1), configuration(5, 1, 'c')];
    await log.write({ ...nothing, entries: [entry(1, 1), ...said, entry(6, 1)] });
    await log.write({ ...nothing, compactTo: 4 });
    assert.deepEqual(shown(log), ['3 members: b', '5 members: c']);
    await log.write({ ...nothing, compactTo: 5 });
    assert.deepEqual(shown(await harness.reopen(log, 6)), ['3 members: b', '5 members: c']);
    await log.write({ ...nothing, compactTo: 7 });
    assert.deepEqual(shown(log), ['5 members: c']);
    assert.deepEqual(shown(await harness.reopen(log, 6)), ['5 members: c']);
  },

  'a flip moves log and state at once: the log is empty behind the snapshot, and goes on there': async (
    log,
    harness,
  ) => {
    const { to } = await flipped(log, harness);
    for (const it of [log, await harness.reopen(log, 100)]) {
      assert.deepEqual([it.generation, it.firstIndex, it.lastIndex], [to, 101, 100]);
      assert.deepEqual([it.term(99), it.term(100), it.logBytes], [undefined, 7, 0]);
      assert.deepEqual(it.hardState, { term: 9, vote: 'someone' });
      assert.deepEqual(shown(it), ['100 members: b']);
      assert.equal(Buffer.from(harness.state(it, stateKey(to, 'newer')) ?? []).toString(), 'newer');
    }
    const again = await harness.reopen(log, 100);
    await again.write({ ...nothing, entries: [entry(101, 7), entry(102, 9)] });
    assert.deepEqual(contents(await harness.reopen(again, 100)), ['101/7', '102/9']);
  },

  'what a flip left behind is swept, also after opening again, and nothing else': async (log, harness) => {
    const { from, to } = await flipped(log, harness);
    const again = await harness.reopen(log, 100);
    assert.equal(again.unswept, 1);
    assert.ok(harness.state(again, stateKey(from, 'old')), 'nothing was swept yet');
    await sweepAll(again);
    for (const it of [again, await harness.reopen(again, 100)]) {
      assert.equal(it.unswept, 0);
      assert.equal(harness.state(it, stateKey(from, 'old')), undefined);
      assert.equal(harness.state(it, stateKey(from, 'older')), undefined);
      assert.ok(harness.state(it, stateKey(to, 'new')));
    }
  },

  'an import that is given up is swept, and its number never comes again': async (log, harness) => {
    const given = await log.newGeneration();
    await log.writeImport(given, [row(given, 'left')]);
    assert.equal(log.unswept, 0, 'as long as it may still be flipped to');
    const next = await log.newGeneration();
    assert.ok(next > given);
    assert.equal(log.unswept, 1);
    await assert.rejects(log.writeImport(given, [row(given, 'late')]));
    await sweepAll(log);
    assert.equal(harness.state(log, stateKey(given, 'left')), undefined);
    await log.writeImport(next, [row(next, 'other')]);
    const again = await harness.reopen(log);
    assert.equal(again.unswept, 1, 'nobody goes on with an import after a start');
    await sweepAll(again);
    assert.equal(harness.state(again, stateKey(next, 'other')), undefined);
    assert.ok((await again.newGeneration()) > next);
  },

  'an import that is dropped is swept at once, and takes no more rows; the one in use stays': async (log, harness) => {
    const dropped = await log.newGeneration();
    await log.writeImport(dropped, [row(dropped, 'left')]);
    await log.dropImport(dropped);
    assert.equal(log.unswept, 1);
    await assert.rejects(log.writeImport(dropped, [row(dropped, 'late')]));
    await sweepAll(log);
    assert.equal(harness.state(log, stateKey(dropped, 'left')), undefined);
    const next = await log.newGeneration();
    await log.writeImport(next, [row(next, 'other')]);
    await log.dropImport(dropped);
    await log.dropImport(log.generation);
    assert.equal(log.unswept, 0, 'the one under way stays');
    await sweepAll(log);
    assert.ok(harness.state(log, stateKey(next, 'other')));
  },

  'imports go on beside turns': async (log, harness) => {
    const generation = await log.newGeneration();
    const imports = Array.from({ length: 20 }, (_, i) => log.writeImport(generation, [row(generation, `row ${i}`)]));
    for (let index = 1; index <= 10; index++) await log.write({ ...nothing, entries: [entry(index, 1)] });
    await Promise.all(imports);
    const again = await harness.reopen(log);
    assert.equal(contents(again).length, 10);
    for (let i = 0; i < 20; i++) assert.ok(harness.state(again, stateKey(generation, `row ${i}`)));
  },

  'a flip to what was not imported, or beside anything else, is refused': async (_, harness) => {
    const beside: Readonly<Record<string, Partial<Turn> | undefined>> = {
      'not imported': undefined,
      entries: { entries: [entry(4, 1)] },
      effects: { effects: [{ key: Buffer.from([2, 1]), value: Buffer.from('effect') }] },
      'a truncation': { truncateFrom: 3 },
      'a compaction': { compactTo: 2 },
    };
    for (const [what, turn] of Object.entries(beside)) {
      const log = await harness.open();
      await log.write({ ...nothing, entries: entries(1, 3, 1) });
      const drawn = await log.newGeneration();
      await log.writeImport(drawn, [row(drawn, 'new')]);
      const generation = turn === undefined ? log.generation : drawn;
      const restore = { index: 9, term: 1, configuration: members('a'), generation };
      await assert.rejects(log.write({ ...nothing, ...turn, restore }), what);
    }
  },

  'an import holds rows of its own generation alone': async (log) => {
    const generation = await log.newGeneration();
    await assert.rejects(log.writeImport(generation, [row(log.generation, 'of the state in use')]));
  },

  'generations follow each other': async (log, harness) => {
    let it = log;
    for (let flips = 1; flips <= 5; flips++) {
      const generation = await it.newGeneration();
      await it.writeImport(generation, [row(generation, 'state')]);
      const index = 100 * flips;
      await it.write({ ...nothing, restore: { index, term: flips, configuration: members('a'), generation } });
      await it.write({ ...nothing, entries: entries(index + 1, index + 5, flips) });
      if (flips % 2 === 0) await sweepAll(it);
      it = await harness.reopen(it, index);
      assert.equal(it.generation, generation);
      assert.equal(contents(it).length, 5);
    }
  },
};
