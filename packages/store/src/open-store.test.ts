import { expect, test } from 'vitest';
import { bytes, type Database, Harness, receiveId } from '../test/harness.ts';
import { Story, topic } from '../test/story.ts';
import { CorruptRow, encodeCommand, encodeStamp, openStore, origin } from './index.ts';
import { Keyspace } from './rows/keyspace.ts';

const keys = new Keyspace(1);
const tick = encodeCommand({ kind: 'tick' });
const header = encodeStamp(1_000_000);

async function flipBit(database: Database, key: Uint8Array): Promise<void> {
  const value = Buffer.from(database.getSync(key) ?? []);
  value[5] = (value[5] ?? 0) ^ 4;
  await database.put(key, value);
}

test('a message goes its way: scheduled, leased, acknowledged, gone', async () => {
  const node = await Harness.open();
  const config = { maxAttempts: 3, backoffFirstMs: 0, backoffMaxMs: 0 };
  const start = { kind: 'earliest' } as const;
  await node.apply({ kind: 'createGroup', topic: 't', group: 'g', start, config, replaceConfig: false });
  const at = { kind: 'delay', delayMs: 500 } as const;
  const messages = [{ at, headers: bytes('h'), body: bytes('b') }];
  const scheduled = await node.apply({ kind: 'schedule', topic: 't', messages, idempotency: undefined });
  const position = { fireAtMs: 1_000_500, seq: 1 };
  expect(scheduled).toEqual({ kind: 'scheduled', topic: 1, positions: [position], repeated: false });
  node.stampMs += 1_000;
  await node.apply({ kind: 'tick' });

  const view = node.store.view();
  const now = { fireAtMs: view.clockMs, seq: view.seq };
  expect(await view.lane(topic, origin, now, 10)).toEqual([position]);
  expect(view.message(topic, position)).toEqual({ position, headers: bytes('h'), body: bytes('b') });
  await view.close();

  const leased = await node.apply({
    kind: 'lease',
    topic,
    group: 1,
    cursor: { from: origin, to: now },
    receives: [{ receiveId: receiveId(7), leaseMs: 30_000 }],
    lane: [{ position, receive: 0 }],
    retries: [],
  });
  expect(leased).toEqual({
    kind: 'leased',
    leases: [{ position, receive: 0, token: 2, attempt: 1, untilMs: 1_031_000 }],
  });
  const acked = await node.apply({ kind: 'ack', topic, group: 1, leases: [{ position, token: 2 }] });
  expect(acked).toEqual({ kind: 'answers', answers: ['ok'] });
  const after = node.store.view();
  expect(after.message(topic, position)).toBeUndefined();
  expect(after.topicByName('t')).toMatchObject({ scheduled: 1, delivered: 1 });
  expect(after.groupByName(topic, 'g')).toMatchObject({ acknowledged: 1, outstanding: 0 });
  expect(after.fate(topic, position)).toEqual({ kind: 'delivered' });
  await after.close();
  expect(await node.store.check()).toEqual([]);
});

test('the clock is the highest stamp so far', async () => {
  const node = await Harness.open();
  const clocks: number[] = [];
  for (const stampMs of [5_000, 4_000, 6_000]) {
    node.stampMs = stampMs;
    await node.apply({ kind: 'tick' });
    clocks.push(node.store.clockMs);
  }
  await node.entry([], { stamped: false });
  expect([...clocks, node.store.clockMs]).toEqual([5_000, 5_000, 6_000, 6_000]);
  expect(node.store.applied).toEqual({ index: 4, term: 1 });
});

test('what was written is what is opened: index, clock, seq, begin, hash, topics', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0, 10);
  await story.lease(1);
  await story.newTerm(3_000);
  const { store } = story.node;
  const reopened = await openStore({ database: story.node.database });
  const factsOf = async (of: typeof store): Promise<unknown> => {
    const view = of.view();
    const facts = [
      of.applied,
      of.clockMs,
      of.seq,
      of.epoch,
      of.releaseFrom,
      of.stateHash,
      view.topics(),
      view.groups(topic),
    ];
    await view.close();
    return facts;
  };
  expect(await factsOf(reopened)).toEqual(await factsOf(store));
  expect(reopened.releaseFrom).toEqual({ term: 2, fromMs: 1_003_000 });
  expect(reopened.pendingBytes).toBe(0);
});

test('a flipped bit in the meta row, or a meta row that is missing, refuses to open', async () => {
  const story = await Story.open(['g']);
  await flipBit(story.node.database, keys.single('meta'));
  await expect(openStore({ database: story.node.database })).rejects.toThrow(CorruptRow);
  await story.node.database.del(keys.single('meta'));
  await expect(openStore({ database: story.node.database })).rejects.toThrow('stands in a state without a meta row');
});

test('a flipped bit in a row that a command needs stops the node, with index and command, and nothing of the entry is seen', async () => {
  const story = await Story.open(['g']);
  const position = await story.scheduleOne(0);
  await flipBit(story.node.database, keys.ofTopic('message', topic, position));
  const { store } = story.node;
  const hash = store.stateHash;
  store.begin({ index: 3, term: 1, header });
  expect(store.command(tick)).toEqual({ kind: 'ticked' });
  const cancel = encodeCommand({ kind: 'cancel', topic, position, idempotency: undefined });
  expect(() => store.command(cancel)).toThrow(/^command 1 of entry 3 failed: row .* its checksum differs$/);
  // There is no way on from here.
  expect(() => store.command(tick)).toThrow('command 1 of entry 3');
  expect(() => store.end()).toThrow('command 1 of entry 3');
  expect(() => store.takeEffects()).toThrow('command 1 of entry 3');
  expect([store.applied.index, store.stateHash]).toEqual([2, hash]);
  const view = story.node.store.view();
  expect(() => view.message(topic, position)).toThrow(CorruptRow);
  await view.close();
});

test('a hole in the log, a falling term, a strange header and a second begin are refused', async () => {
  const attempts: readonly (readonly [string, { index: number; term: number; header: Uint8Array }])[] = [
    ['begin of entry 3 failed: the one applied before it is 1', { index: 3, term: 1, header }],
    ['its term is 0, of the one before it 1', { index: 2, term: 0, header }],
    ['is no stamp', { index: 2, term: 1, header: bytes('abc') }],
  ];
  for (const [says, entry] of attempts) {
    const node = await Harness.open();
    await node.apply({ kind: 'tick' });
    expect(() => node.store.begin(entry)).toThrow(says);
  }
  const node = await Harness.open();
  node.store.begin({ index: 1, term: 1, header });
  expect(() => node.store.begin({ index: 1, term: 1, header })).toThrow('the entry before it has not ended');
  const idle = await Harness.open();
  expect(() => idle.store.command(tick)).toThrow('no entry was begun');
  expect(() => (idle.store.end(), undefined)).toThrow('no entry was begun');
});

test('bytes that are no command are a refusal, and the others of their entry go on', async () => {
  const node = await Harness.open();
  expect(await node.raw([bytes('?'), tick])).toEqual([{ kind: 'refused', code: 'undecodable' }, { kind: 'ticked' }]);
});

test('an entry of hundreds of messages leaves one row a message, and one each of meta and topic', async () => {
  const node = await Harness.open({ writing: 'later' });
  await node.apply({ kind: 'tick' });
  node.store.takeEffects();
  const at = { kind: 'delay', delayMs: 0 } as const;
  const messages = Array.from({ length: 100 }, () => ({ at, headers: bytes(''), body: bytes('b') }));
  const schedule = { kind: 'schedule', topic: 't', messages, idempotency: undefined } as const;
  await node.entry([schedule, schedule, schedule]);
  const effects = node.store.takeEffects();
  expect(effects).toHaveLength(302);
  expect(new Set(effects.map(({ key }) => Buffer.from(key).toString('hex'))).size).toBe(302);
});

test('the first entry leaves a fence above everything, which a seek that finds nothing ends at', async () => {
  const node = await Harness.open({ writing: 'later' });
  await node.apply({ kind: 'tick' });
  const effects = node.store.takeEffects().map(({ key }) => Buffer.from(key).toString('hex'));
  expect(effects.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['020000000101', '0200000001ff']);
});

test('one listener hears each entry that changes something, once, when all of it is visible', async () => {
  const story = await Story.open(['g']);
  const heard: (readonly [number, number])[] = [];
  const { store } = story.node;
  store.listen((changes, clockMs) => {
    heard.push([changes.length, clockMs]);
    expect(store.seq).toBe(2);
  });
  await story.schedule(0, 0);
  await story.node.apply({ kind: 'tick' });
  store.listen(undefined);
  await story.schedule(0);
  expect(heard).toEqual([[2, 1_000_000]]);
});

test('a listener may be given at the start', async () => {
  const story = await Story.open(['g']);
  const heard: string[] = [];
  const database = story.node.database;
  const store = await openStore({
    database,
    changeListener: (changes) => heard.push(...changes.map(({ kind }) => kind)),
  });
  store.begin({ index: 2, term: 7, header });
  store.command(encodeCommand({ kind: 'begin', graceMs: 1 }));
  store.end();
  expect(heard).toEqual(['begun']);
});
