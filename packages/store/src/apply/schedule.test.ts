import { expect, test } from 'vitest';
import { bytes, Harness } from '../../test/harness.ts';
import { Story, topic } from '../../test/story.ts';
import { type Command, type CommandOf, comparePositions } from '../index.ts';

const now = { kind: 'delay', delayMs: 0 } as const;
const message = { at: now, headers: bytes('h'), body: bytes('b') };
const schedule = (name: string, key?: string, hash = 1): CommandOf<'schedule'> => ({
  kind: 'schedule',
  topic: name,
  messages: [message],
  idempotency: key === undefined ? undefined : { key, requestHash: Buffer.alloc(16, hash), keepMs: 1_000 },
});

test('a message lands at or above the clock, whatever time is asked for, with a fresh seq [H2]', async () => {
  const node = await Harness.open();
  const times = [0, 999_999, 1_000_000, 1_000_001, 2_000_000];
  const messages = times.map((timeMs) => ({ ...message, at: { kind: 'time', timeMs } as const }));
  const verdict = await node.apply({ kind: 'schedule', topic: 't', messages, idempotency: undefined });
  if (verdict.kind === 'refused') throw new Error(verdict.code);
  expect(verdict.positions.map(({ fireAtMs }) => fireAtMs)).toEqual([
    1_000_000, 1_000_000, 1_000_000, 1_000_001, 2_000_000,
  ]);
  expect(verdict.positions.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
});

test('what is scheduled after a cursor has moved stands above it, also for a past time [H1, H2]', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0, 0);
  await story.lease(1);
  const late = await story.scheduleOne(0);
  const view = story.node.store.view();
  expect(comparePositions(late, view.groups(topic)[0]?.cursor ?? late)).toBeGreaterThan(0);
  await view.close();
  expect(await story.leaseOne(1)).toMatchObject({ position: late });
});

test('a delay is counted from the replicated clock, which an entry without a stamp does not move', async () => {
  const node = await Harness.open();
  await node.apply({ kind: 'tick' });
  const later: Command = { ...schedule('t'), messages: [{ ...message, at: { kind: 'delay', delayMs: 70 } }] };
  node.stampMs = 999;
  expect(await node.entry([later])).toMatchObject([{ positions: [{ fireAtMs: 1_000_070 }] }]);
  expect(await node.entry([later], { stamped: false })).toMatchObject([{ positions: [{ fireAtMs: 1_000_070 }] }]);
});

test('the same idempotency key with the same request gets the first answer, and nothing is written', async () => {
  const node = await Harness.open();
  const first = await node.apply(schedule('t', 'k'));
  node.stampMs += 999;
  expect(await node.apply(schedule('t', 'k'))).toEqual({ ...first, repeated: true });
  const view = node.store.view();
  expect(view.topicByName('t')?.scheduled).toBe(1);
  await view.close();
});

test('the same key with another request is refused, and is free in another topic and, at version 1, after its time', async () => {
  const node = await Harness.open();
  await node.apply(schedule('t', 'k'));
  expect(await node.apply(schedule('t', 'k', 2))).toEqual({ kind: 'refused', code: 'idempotencyKeyReused' });
  expect(await node.apply(schedule('u', 'k', 2))).toMatchObject({ topic: 2, repeated: false });
  node.stampMs += 1_000;
  expect(await node.apply(schedule('t', 'k', 2))).toMatchObject({ topic: 1, repeated: false });
  // The row in order of time of the first answer went with it.
  expect(await node.store.check()).toEqual([]);
});

test('from version 2 on an answer counts until it is collected, wherever the clock has jumped to', async () => {
  const node = await Harness.open();
  await node.apply({ kind: 'activate', version: 2 });
  const first = await node.apply(schedule('t', 'k'));
  node.stampMs += 3_600_000;
  expect(await node.apply(schedule('t', 'k'))).toEqual({ ...first, repeated: true });
  expect(await node.apply(schedule('t', 'k', 2))).toEqual({ kind: 'refused', code: 'idempotencyKeyReused' });
  const steps = [{ kind: 'answers' as const, topic: 1, keys: [{ key: 'k', untilMs: 1_001_000 }] }];
  expect(await node.apply({ kind: 'collect', steps })).toEqual({ kind: 'collected', rows: 1 });
  expect(await node.apply(schedule('t', 'k', 2))).toMatchObject({ topic: 1, repeated: false });
  expect(await node.store.check()).toEqual([]);
});

test('the answer is the first one after a crash, too', async () => {
  const node = await Harness.open({ writing: 'later' });
  const first = await node.apply(schedule('t', 'k'));
  await node.crash();
  expect(await node.apply(schedule('t', 'k'))).toEqual({ ...first, repeated: true });
});

test('a cancel does not get the answer of a schedule', async () => {
  const node = await Harness.open();
  const command = schedule('t', 'k');
  await node.apply(command);
  const position = { fireAtMs: 1_000_000, seq: 1 };
  expect(await node.apply({ kind: 'cancel', topic, position, idempotency: command.idempotency })).toEqual({
    kind: 'refused',
    code: 'idempotencyKeyReused',
  });
});

test('a topic too many is refused, and leaves nothing', async () => {
  const node = await Harness.open({ limits: { topics: 2 } });
  expect(await node.entry([schedule('a'), schedule('b'), schedule('c'), schedule('a')])).toMatchObject([
    { positions: [{ seq: 1 }] },
    { positions: [{ seq: 2 }] },
    { kind: 'refused', code: 'topicLimit' },
    { positions: [{ seq: 3 }] },
  ]);
  expect(await node.apply(schedule('c'))).toEqual({ kind: 'refused', code: 'topicLimit' });
  const view = node.store.view();
  expect(view.topics().map(({ name, scheduled }) => [name, scheduled])).toEqual([
    ['a', 2],
    ['b', 1],
  ]);
  await view.close();
});

test('all of a batch or nothing: one message too many refuses every one', async () => {
  const node = await Harness.open();
  const many = { ...schedule('t'), messages: Array.from({ length: 10_001 }, () => message) };
  expect(await node.apply(many)).toEqual({ kind: 'refused', code: 'tooManyRows' });
  expect(node.store.seq).toBe(0);
});
