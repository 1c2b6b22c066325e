import { expect, test } from 'vitest';
import { Story, topic } from '../../test/story.ts';
import { encodeCommand, openStore, StateTooNew, type VerifiedState, verifyState } from '../index.ts';
import { Keyspace } from '../rows/keyspace.ts';
import { encodeMessage } from '../rows/message-row.ts';
import { encodeMeta, firstMeta } from '../rows/meta-row.ts';

const keys = new Keyspace(1);
const verify = (story: Story): Promise<VerifiedState> => verifyState({ database: story.node.database, generation: 1 });
const missed = 'the sum of all rows is not the one that was kept while they were applied';

async function summed(): Promise<Story> {
  const story = await Story.open([]);
  await story.node.apply({ kind: 'activate', version: 2 });
  await story.createGroup('g');
  return story;
}

test('a directory in which nothing is wrong', async () => {
  const story = await summed();
  await story.schedule(0, 10);
  await story.lease(1);
  const { store } = story.node;
  expect(await verify(story)).toEqual({
    applied: store.applied,
    activeVersion: 2,
    epoch: 1,
    stateHash: store.stateHash,
    rows: 7,
    bytes: expect.any(Number),
    base: '0'.repeat(32),
    isWhole: true,
    faults: [],
  });
  expect(await verify(await Story.open([]))).toMatchObject({ rows: 0, applied: { index: 0 }, faults: [] });
});

test('every row that is lost, and every one that is there too much, is missed', async () => {
  const story = await summed();
  await story.schedule(0, 10);
  await story.lease(1);
  const { database } = story.node;
  const all = await database.iterator().all();
  expect(all).toHaveLength(7);
  for (const [key, value] of all) {
    await database.del(key);
    expect((await verify(story)).faults).not.toEqual([]);
    await database.put(key, value);
  }
  expect((await verify(story)).faults).toEqual([]);
  const message = { headers: Buffer.of(), body: Buffer.of() };
  const extra = encodeMessage(keys.ofTopic('message', topic, { fireAtMs: 9, seq: 1 }), message);
  await database.put(extra.key, extra.value);
  expect((await verify(story)).faults).toContain(missed);
});

test('a row that fell back to an older value of its own is found, though everything adds up', async () => {
  const story = await summed();
  await story.schedule(0);
  const lease = await story.leaseOne(1, 1_000);
  const key = keys.ofGroup('hold', topic, 1, lease.position);
  const old = story.node.database.getSync(key) ?? Buffer.of();
  await story.node.apply({ kind: 'extend', topic, group: 1, leases: [lease], leaseMs: 60_000 });
  expect((await verify(story)).faults).toEqual([]);
  await story.node.database.put(key, old);
  expect((await verify(story)).faults).toEqual([missed]);
});

test('a flipped bit in every row is told, one fault a row', async () => {
  const story = await summed();
  await story.schedule(0, 10);
  const { database } = story.node;
  const damaged = [1, 2].map((seq) => keys.ofTopic('message', topic, { fireAtMs: 1_000_000 + (seq - 1) * 10, seq }));
  for (const key of damaged) {
    const value = Buffer.from(database.getSync(key) ?? []);
    value[6] = (value[6] ?? 0) ^ 1;
    await database.put(key, value);
  }
  await database.put(Buffer.from('020000000177', 'hex'), Buffer.alloc(9));
  const { faults } = await verify(story);
  expect(faults.filter((fault) => fault.includes('its checksum differs'))).toHaveLength(2);
  expect(faults.filter((fault) => fault.includes('table 119 is not known'))).toHaveLength(1);
});

test('rows that stood before the version was raised have the same base ever after, on every member', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0, 0, 0);
  await story.lease(1);
  expect((await verify(story)).base).toBeUndefined();
  await story.node.apply({ kind: 'activate', version: 2 });
  const { base } = await verify(story);
  expect(base).not.toBe('0'.repeat(32));
  await story.schedule(0, 50);
  const [lease] = await story.lease(1);
  if (lease !== undefined) await story.ack(1, lease);
  await story.createGroup('h');
  await story.pass(100_000);
  await story.newTerm(0);
  expect(await verify(story)).toMatchObject({ base, isWhole: false, faults: [] });

  const { database } = story.node;
  await database.del(keys.ofTopic('message', topic, { fireAtMs: 1_000_000, seq: 1 }));
  expect((await verify(story)).base).not.toBe(base);
});

test('a state of a later version is no fault: it takes a later build', async () => {
  const story = await summed();
  const { key, value } = encodeMeta(keys.single('meta'), { ...firstMeta, activeVersion: 3 });
  await story.node.database.put(key, value);
  await expect(verify(story)).rejects.toThrow(StateTooNew);
  await expect(openStore({ database: story.node.database })).rejects.toThrow(StateTooNew);
});

test('a check of the running store compares the sum as well', async () => {
  const story = await summed();
  const position = await story.scheduleOne(0);
  const { store, database } = story.node;
  await database.del(keys.ofTopic('message', topic, position));
  expect(await store.check()).toContain(missed);
  store.begin({ index: 4, term: 1, header: new Uint8Array() });
  store.command(encodeCommand({ kind: 'tick' }));
  store.end();
  expect(await store.check()).toContain(missed);
});
