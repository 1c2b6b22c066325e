// A check that never fails checks nothing: each rule with a state that breaks it.
import { expect, test } from 'vitest';
import type { Harness } from '../../test/harness.ts';
import { Story, topic } from '../../test/story.ts';
import { openStore, type Position, type Snapshot, type StateReader } from '../index.ts';
import { encodeAnswer } from '../rows/answer-row.ts';
import { encodeEnded, encodeMark } from '../rows/ended-row.ts';
import { encodeGroup, type GroupRow } from '../rows/group-row.ts';
import { encodeHold, encodeRetry } from '../rows/hold-row.ts';
import { Keyspace, tableOffset, tables } from '../rows/keyspace.ts';
import { encodeMessage } from '../rows/message-row.ts';
import type { Row } from '../rows/row.ts';
import { encodeTopic } from '../rows/topic-row.ts';

const keys = new Keyspace(1);
const empty = { headers: Buffer.of(), body: Buffer.of() };
const requestHash = Buffer.alloc(16);

/** A leased, b acknowledged by one of two groups, c waiting; d cancelled. */
async function sound(): Promise<{ node: Harness; a: Position; b: Position; c: Position; d: Position }> {
  const story = await Story.open(['g', 'h']);
  const [a, b, c, d] = await story.schedule(0, 0, 500, 500);
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('not scheduled');
  await story.ack(1, ...(await story.lease(1)).filter(({ position }) => position.seq === b.seq));
  await story.cancel(d);
  expect(await story.check()).toEqual([]);
  return { node: story.node, a, b, c, d };
}

async function faultsOf(node: Harness): Promise<string> {
  return (await (await openStore({ database: node.database })).check()).join('\n');
}

async function put(node: Harness, { key, value }: Row): Promise<void> {
  await node.database.put(key, value);
}

const topicRow = {
  number: topic,
  name: 't',
  nextGroup: 3,
  scheduled: 4,
  cancelled: 1,
  stopped: 0,
  delivered: 0,
  skipped: 0,
};
async function groupRow(node: Harness, change: Partial<GroupRow>): Promise<Row> {
  const view = node.store.view();
  const info = view.groupByName(topic, 'g');
  await view.close();
  if (info === undefined) throw new Error('no group');
  return encodeGroup(keys.group(topic, 1), { ...info, gone: 0, ...change });
}

test.each([
  ['a message that is gone', ({ c }) => keys.ofTopic('message', topic, c), /scheduled 4, but lane 2 \+ cancelled 1/],
  [
    'a hold that is gone',
    ({ a }) => keys.ofGroup('hold', topic, 1, a),
    /2 messages at or below its cursor are held by nobody, but 1/,
  ],
  [
    'a leased message that is gone',
    ({ a }) => keys.ofTopic('message', topic, a),
    /group 1 \(g\) holds .*there is no such message/,
  ],
  ['an ended row that is gone', ({ d }) => keys.ofTopic('ended', topic, d), /has a row by its time, and no other/],
  [
    'an ended row by time that is gone',
    ({ d }) => keys.endedTime(1_000_000, topic, d),
    /1 ended rows, but 0 of them by their time/,
  ],
] satisfies [string, (at: Awaited<ReturnType<typeof sound>>) => Buffer, RegExp][])(
  '%s is a fault',
  async (_what, key, says) => {
    const state = await sound();
    await state.node.database.del(key(state));
    expect(await faultsOf(state.node)).toMatch(says);
  },
);

const position = { fireAtMs: 1_000_900, seq: 4 };
test.each([
  [
    'a message that nobody scheduled',
    encodeMessage(keys.ofTopic('message', topic, position), empty),
    /scheduled 4, but lane 4/,
  ],
  [
    'a seq that was not issued',
    encodeMessage(keys.ofTopic('message', topic, { ...position, seq: 99 }), empty),
    /1000900\/99 has a seq that was not issued/,
  ],
  [
    'a message of no topic',
    encodeMessage(keys.ofTopic('message', 9, position), empty),
    /message row .* belongs to nothing/,
  ],
  [
    'a retry of no hold',
    encodeRetry(keys.ofGroup('retry', topic, 1, position), position),
    /a retry row .* that belongs to no hold/,
  ],
  [
    'a retry of no group',
    encodeRetry(keys.ofGroup('retry', topic, 9, position), position),
    /retry row .* belongs to nothing/,
  ],
  [
    'an answer by its time alone',
    encodeMark(keys.answerTime(5, topic, 'k')),
    /an answer of topic 1 until 5 has a row by its time/,
  ],
  [
    'an answer that is not by its time',
    encodeAnswer(keys.answer(topic, 'k'), {
      requestHash,
      untilMs: 5,
      answer: { kind: 'scheduled', topic, positions: [] },
    }),
    /1 answers, but 0 of them by their time/,
  ],
  ['a wrong count', encodeTopic(keys.topic(topic), { ...topicRow, stopped: 1 }), /stopped 1/],
] satisfies [string, Row, RegExp][])('%s is a fault', async (_what, row, says) => {
  const { node } = await sound();
  await put(node, row);
  expect(await faultsOf(node)).toMatch(says);
});

test('a hold above the cursor is a fault, and one that waits without a retry row', async () => {
  const { node, c } = await sound();
  const receiveId = Buffer.alloc(16);
  const hold = {
    position: c,
    state: 'retry',
    token: 1,
    attempt: 1,
    untilMs: 1,
    receiveId,
    retryAtMs: 5,
    retrySeq: 5,
    reason: '',
  } as const;
  await put(node, encodeHold(keys.ofGroup('hold', topic, 1, c), hold));
  const faults = await faultsOf(node);
  expect(faults).toMatch(/which is not between its start and its cursor/);
  expect(faults).toMatch(/has 0 retry rows and 1 holds that wait/);
  expect(faults).toMatch(/counts 1 outstanding, and holds 2/);
});

test.each([
  [{ outstanding: 0, dead: 1 }, /counts 1 dead letters, and holds 0/],
  [{ cursor: { fireAtMs: 2_000_000, seq: 0 } }, /has its cursor above \(clock, seq\)/],
  [{ cursor: { fireAtMs: 2, seq: 0 }, start: { fireAtMs: 3, seq: 0 } }, /has its cursor below its start/],
  // Passed over by a cursor that ran ahead: lost.
  [
    { cursor: { fireAtMs: 1_000_500, seq: 3 } },
    /2 messages at or below its cursor are held by nobody, but 1 were acknowledged/,
  ],
] satisfies [Partial<GroupRow>, RegExp][])('a group with %j is a fault', async (change, says) => {
  const { node } = await sound();
  await put(node, await groupRow(node, change));
  expect(await faultsOf(node)).toMatch(says);
});

test('a message that ended and still stands is a fault', async () => {
  const { node, c } = await sound();
  await put(node, encodeEnded(keys.ofTopic('ended', topic, c), { kind: 'cancelled', endedAtMs: 5 }));
  expect(await faultsOf(node)).toMatch(/ended, and still stands in its lane/);
});

test('a flipped bit anywhere is a fault', async () => {
  const { node, b } = await sound();
  const key = keys.ofTopic('message', topic, b);
  const value = Buffer.from(node.database.getSync(key) ?? []);
  value[20] = (value[20] ?? 0) ^ 1;
  await node.database.put(key, value);
  expect(await faultsOf(node)).toMatch(/its checksum differs/);
});

test('a thousand rows and more are walked', async () => {
  const story = await Story.open(['g']);
  await story.schedule(...Array.from({ length: 2_500 }, (_, index) => index));
  expect(await story.check()).toEqual([]);
  await story.node.database.del(keys.ofTopic('message', topic, { fireAtMs: 1_002_400, seq: 2_401 }));
  expect(await faultsOf(story.node)).toMatch(/lane 2499/);
});

test('holds are walked beside the lane, and not gathered: dead letters stay for ever', async () => {
  const story = await Story.open(['g']);
  await story.schedule(...Array.from({ length: 250 }, () => 0));
  expect(await story.lease(1)).toHaveLength(250);
  let holds = 0;
  let holdsBefore: number | undefined;
  const database: StateReader = story.node.database;
  const watched: StateReader = {
    getSync: (key: Uint8Array, options?: { readonly snapshot: Snapshot }) =>
      options === undefined ? database.getSync(key) : database.getSync(key, options),
    snapshot: () => database.snapshot(),
    iterator: (options) => {
      const iterator = database.iterator(options);
      const table = options.gte[tableOffset];
      const nextv = async (size: number) => {
        const rows = await iterator.nextv(size);
        if (table === tables.message) holdsBefore ??= holds;
        if (table === tables.hold) holds += rows.length;
        return rows;
      };
      return { nextv, close: () => iterator.close() };
    },
  };
  expect(await (await openStore({ database: watched })).check()).toEqual([]);
  expect(holds).toBeGreaterThanOrEqual(250);
  expect(holdsBefore, 'in memory when the first message is read').toBeLessThan(200);
});
