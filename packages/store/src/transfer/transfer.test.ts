import { expect, test } from 'vitest';
import { Story, topic } from '../../test/story.ts';
import { CorruptRow, openStore, origin, type StateRow } from '../index.ts';
import { Keyspace } from '../rows/keyspace.ts';

const keys = new Keyspace(1);
const farAway = { fireAtMs: 2 ** 47, seq: 0 };

async function rowsOf(story: Story): Promise<readonly StateRow[]> {
  const taken = story.node.store.exportState();
  const { rows, done } = await taken.read(undefined, 1_000_000);
  expect(done).toBe(true);
  await taken.close();
  return rows;
}

async function install(into: Story, generation: number, rows: readonly StateRow[]): Promise<void> {
  const batch = into.node.database.batch();
  for (const { key, value } of into.node.store.importRows(generation, rows)) batch.put(key, value ?? new Uint8Array());
  await batch.write();
}

/** As if it had travelled: somewhere a bit of one row is another one. */
function withFlippedBit(rows: readonly StateRow[], at: number, bit: number): readonly StateRow[] {
  return rows.map((row, index) => {
    if (index !== at) return row;
    const bytes = Buffer.concat([row.key, row.value]);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return { key: bytes.subarray(0, row.key.length), value: bytes.subarray(row.key.length) };
  });
}

test('an export says what its snapshot holds, not what was applied since [P5]', async () => {
  const story = await Story.open(['g'], { writing: 'later' });
  const empty = story.node.store.exportState();
  expect(empty.applied).toEqual({ index: 0, term: 0 });
  expect(await empty.read(undefined, 100)).toEqual({ rows: [], done: true });
  await empty.close();
  story.node.turn();
  await story.node.durable();
  await story.schedule(0);
  const taken = story.node.store.exportState();
  expect(story.node.store.applied.index).toBe(2);
  expect(taken.applied).toEqual({ index: 1, term: 1 });
  await taken.close();
});

test('keys travel without the generation, in order, the fence last; any number of reads may be under way', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0, 10, 20);
  const taken = story.node.store.exportState();
  const { rows } = await taken.read(undefined, 1_000_000);
  expect(rows.map(({ key }) => key[0])).toEqual([0x01, 0x02, 0x03, 0x10, 0x10, 0x10, 0xff]);
  const [first, second] = await Promise.all([taken.read(rows[2]?.key, 1), taken.read(rows[4]?.key, 1_000_000)]);
  expect(first).toEqual({ rows: rows.slice(3, 4), done: false });
  expect(second).toEqual({ rows: rows.slice(5), done: true });
  expect(await taken.read(rows.at(-1)?.key, 100)).toEqual({ rows: [], done: true });
  await taken.close();
  await expect(taken.read(undefined, 100)).rejects.toThrow('the export was closed');
});

test('a read that is under way when its export is closed fails', async () => {
  const story = await Story.open(['g']);
  const taken = story.node.store.exportState();
  const read = taken.read(undefined, 100);
  const closed = taken.close();
  await expect(read).rejects.toThrow();
  await closed;
});

test('a row that was damaged on the disk is not sent', async () => {
  const story = await Story.open(['g']);
  const key = keys.ofTopic('message', topic, await story.scheduleOne(0));
  const value = Buffer.from(story.node.database.getSync(key) ?? []);
  value[5] = 9;
  await story.node.database.put(key, value);
  const taken = story.node.store.exportState();
  await expect(taken.read(undefined, 1_000_000)).rejects.toThrow(CorruptRow);
  await taken.close();
});

test('any flipped bit of any row is found when it is taken in', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0);
  await story.lease(1);
  const rows = await rowsOf(story);
  expect(rows.map(({ key }) => key[0])).toEqual([0x01, 0x02, 0x03, 0x10, 0x11, 0xff]);
  let flips = 0;
  for (const [at, { key, value }] of rows.entries()) {
    for (let bit = 0; bit < 8 * (key.length + value.length); bit += 1) {
      expect(() => story.node.store.importRows(2, withFlippedBit(rows, at, bit))).toThrow(CorruptRow);
      flips += 1;
    }
  }
  expect(flips).toBeGreaterThan(2_000);
});

test('rows out of order, a row twice and a row of no table are refused', async () => {
  const story = await Story.open(['g']);
  const rows = await rowsOf(story);
  const [meta, ...others] = rows;
  if (meta === undefined) throw new Error('no meta row');
  const { store } = story.node;
  expect(() => store.importRows(2, rows.toReversed())).toThrow('does not follow the row before it');
  expect(() => store.importRows(2, [meta, meta, ...others])).toThrow('does not follow the row before it');
  expect(() => store.importRows(2, [{ key: Buffer.of(0x99), value: meta.value }])).toThrow('table 153 is not known');
  expect(() => store.importRows(2, [{ key: Buffer.of(), value: meta.value }])).toThrow(CorruptRow);
});

test('a view, and an export, that were taken before another state is adopted stay as they were [P7]', async () => {
  const ahead = await Story.open(['g']);
  await ahead.schedule(0, 10);
  await ahead.lease(1);
  const behind = await Story.open(['g'], { writing: 'later' });
  behind.node.turn();
  await behind.node.durable();
  const position = await behind.scheduleOne(500);
  const view = behind.node.store.view();
  const before = behind.node.store.exportState();
  await install(behind, 2, await rowsOf(ahead));
  expect(await behind.check()).toEqual([]);
  await behind.node.store.adopt(2);
  expect(await view.lane(topic, origin, farAway, 10)).toEqual([position]);
  expect(view.groups(topic)).toMatchObject([{ outstanding: 0 }]);
  expect((await before.read(undefined, 1_000_000)).rows.map(({ key }) => key[0])).toEqual([0x01, 0x02, 0x03, 0xff]);
  await Promise.all([view.close(), before.close()]);

  expect(behind.node.store.takeEffects()).toEqual([]);
  const after = behind.node.store.view();
  expect(await after.lane(topic, origin, farAway, 10)).toHaveLength(2);
  expect(after.groups(topic)).toMatchObject([{ outstanding: 1 }]);
  await after.close();
  expect(await behind.check()).toEqual([]);
});

test('topics of the state before are not among those of the one that is adopted', async () => {
  const ahead = await Story.open(['g']);
  await ahead.schedule(0);
  const behind = await Story.open([]);
  const other = { kind: 'schedule', topic: 'only here', messages: [], idempotency: undefined } as const;
  await behind.node.apply(other);
  await install(behind, 2, await rowsOf(ahead));
  await behind.node.store.adopt(2);
  const view = behind.node.store.view();
  expect(view.topics().map(({ name }) => name)).toEqual(['t']);
  expect(view.topicByName('only here')).toBeUndefined();
  await view.close();
});

test('a low-water mark of the state before says nothing about the one that is adopted', async () => {
  const ahead = await Story.open(['g']);
  const [first] = await ahead.schedule(0, 0);
  const behind = await Story.open([]);
  for (let number = 0; number < 3; number += 1) await behind.pass(1_000);
  const view = behind.node.store.view();
  expect(await view.lane(topic, origin, farAway, 10)).toEqual([]);
  await view.close();
  while (ahead.node.log.length < behind.node.log.length) await ahead.node.entry([], { stamped: false });
  await install(behind, 2, await rowsOf(ahead));
  await behind.node.store.adopt(2);
  const after = behind.node.store.view();
  expect((await after.lane(topic, origin, farAway, 10))[0]).toEqual(first);
  await after.close();
});

test('a state that was cut off at either end is not adopted, and the store is as it was', async () => {
  const ahead = await Story.open(['g']);
  await ahead.schedule(0);
  const rows = await rowsOf(ahead);
  const behind = await Story.open(['g']);
  const hash = behind.node.store.stateHash;
  await install(behind, 2, rows.slice(0, -1));
  await expect(behind.node.store.adopt(2)).rejects.toThrow('the state has no fence row');
  await install(behind, 3, rows.slice(1));
  await expect(behind.node.store.adopt(3)).rejects.toThrow('stands in a state without a meta row');
  await expect(behind.node.store.adopt(4)).rejects.toThrow('the state has no meta row');
  expect(behind.node.store.stateHash).toBe(hash);
  await install(behind, 5, rows);
  await behind.node.store.adopt(5);
  expect(behind.node.store.stateHash).toBe(ahead.node.store.stateHash);
});

test('nothing is adopted in the middle of an entry or a turn, nor what would take the state back', async () => {
  const ahead = await Story.open(['g']);
  await ahead.schedule(0);
  const rows = await rowsOf(ahead);
  const behind = await Story.open(['g'], { writing: 'later' });
  await install(behind, 2, rows);
  const { store } = behind.node;
  store.begin({ index: 2, term: 1, header: new Uint8Array() });
  await expect(store.adopt(2)).rejects.toThrow('in the middle of an entry');
  store.end();
  behind.node.turn();
  await expect(store.adopt(2)).rejects.toThrow('while a turn is written');
  await behind.node.durable();
  for (const index of [3, 4]) {
    store.begin({ index, term: 1, header: new Uint8Array() });
    store.end();
  }
  await expect(store.adopt(2)).rejects.toThrow('stands at 2, before 4');
});

test('a store is opened at the generation that is in force', async () => {
  const ahead = await Story.open(['g']);
  const position = await ahead.scheduleOne(0);
  const behind = await Story.open([]);
  await install(behind, 9, await rowsOf(ahead));
  const store = await openStore({ database: behind.node.database, generation: 9 });
  expect(store.applied).toEqual(ahead.node.store.applied);
  const view = store.view();
  expect(view.message(topic, position)).toBeDefined();
  await view.close();
  expect((await openStore({ database: behind.node.database })).applied.index).toBe(0);
});
