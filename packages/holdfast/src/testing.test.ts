import { expect, test } from 'vitest';
import { Holdfast, type WorkerMessage } from './index.ts';
import { testClock } from './testing.ts';

const startIso = '2030-01-01T09:00:00Z';
const hourMs = 3_600_000;
const open = () => Holdfast.open({ clock: testClock(startIso) });

test('after a cancel that answered cancelled, nothing is delivered and the count still adds up', async () => {
  await using store = await open();
  const reminders = store.topic('reminders');
  const { id } = await reminders.schedule('pay the rent', { delay: '1h' });

  expect(await reminders.cancel(id)).toEqual({ kind: 'cancelled' });
  await store.clock.advance('2h');

  expect(await reminders.group('mailer').receive({ max: 10 })).toEqual([]);
  expect(await reminders.counts()).toMatchObject({ scheduled: 1, stored: 0, cancelled: 1 });
});

test('time stands where the test put it, and moves only when it is told to', async () => {
  await using store = await open();
  expect(store.clock.now()).toEqual(new Date(startIso));
  const { deliverAtMs } = await store.topic('t').schedule(1, { delay: '1h' });
  expect(deliverAtMs).toBe(Date.parse(startIso) + hourMs);
  await store.clock.advance(1_500);
  expect(store.clock.now().getTime()).toBe(Date.parse(startIso) + 1_500);
});

test('a message is due at its time and not a millisecond before', async () => {
  await using store = await open();
  const topic = store.topic('t');
  const { id } = await topic.schedule({ to: 'ada' }, { delay: '1h' });
  await store.clock.advance(hourMs - 1);
  expect(await topic.group('g').receive()).toEqual([]);
  await store.clock.advance(1);
  expect(await topic.group('g').receive()).toMatchObject([{ id, payload: { to: 'ada' }, attempt: 1 }]);
});

test('a worker handles in six hours what is due in it, each on time', async () => {
  await using store = await open();
  const topic = store.topic('t');
  const seen: WorkerMessage<unknown>[] = [];
  await using worker = topic.group('g').worker((message) => void seen.push(message));
  const delays = ['1m', '90m', '5h'];
  await topic.scheduleBatch(delays.map((delay) => ({ payload: delay, when: { delay } })));
  await store.clock.advance('6h');
  expect(seen.map(({ payload }) => payload)).toEqual(delays);
  expect(seen.map(({ latenessMs }) => latenessMs)).toEqual([0, 0, 0]);
  expect(worker.counters()).toMatchObject({ acknowledged: 3, running: 0, settling: 0 });
  expect(await topic.counts()).toMatchObject({ scheduled: 3, stored: 0, groups: [{ name: 'g', acknowledged: 3 }] });
});

test('two hundred workers of one store each get what is due on time', async () => {
  await using store = await open();
  const topics = Array.from({ length: 200 }, (_, at) => store.topic(`t${at}`));
  const latenessMs: number[] = [];
  for (const topic of topics) topic.group('g').worker((message) => void latenessMs.push(message.latenessMs));
  await store.clock.advance('20s');
  for (const topic of topics) await topic.schedule('x', { delay: '1s' });
  await store.clock.advance('40s');
  expect(latenessMs).toHaveLength(topics.length);
  expect(Math.max(...latenessMs)).toBe(0);
});

test('a handler that throws is tried again after the back-off, and gives up in the end', async () => {
  await using store = await open();
  const topic = store.topic('t');
  const group = topic.group('g', { maxAttempts: 3, backoffFirst: '1m', backoffMax: '10m' });
  const attempts: number[] = [];
  await using worker = group.worker(
    (message) => {
      attempts.push(message.attempt);
      throw new Error('no such address');
    },
    { onError: () => undefined },
  );
  await topic.schedule('x', { delay: 0 });
  await store.clock.advance('1h');
  expect(attempts).toEqual([1, 2, 3]);
  expect(worker.counters().failed).toBe(3);
  const dead = [];
  for await (const letter of group.deadLetters()) dead.push(letter);
  expect(dead).toMatchObject([{ attempts: 3, payload: 'x' }]);
});

test('a lease that nobody answers ends, and the message comes again with a higher token', async () => {
  await using store = await open();
  const topic = store.topic('t');
  const group = topic.group('g');
  await topic.schedule('x', { delay: 0 });
  const [first] = await group.receive({ lease: '1m' });
  await store.clock.advance('59s');
  expect(await group.receive()).toEqual([]);
  await store.clock.advance('2s');
  const [second] = await group.receive();
  expect(second).toMatchObject({ id: first?.id, attempt: 2 });
  expect(second?.token).toBeGreaterThan(first?.token ?? Number.NaN);
});

test('calls that are made together are made in order, and a list shows what waits', async () => {
  await using store = await open();
  const topic = store.topic<number>('t');
  await Promise.all([3, 1, 2].map((hours) => topic.schedule(hours, { delay: `${hours}h` })));
  const listed = [];
  for await (const { payload } of topic.list({ pageMessages: 1 })) listed.push(payload);
  expect(listed).toEqual([1, 2, 3]);
});

test('a time that is none is refused', () => {
  expect(() => testClock('tomorrow')).toThrow('"tomorrow" is no time.');
});

test('two advances made together pass one after the other', async () => {
  const clock = testClock(startIso);
  await Promise.all([clock.advance('1s'), clock.advance('2s')]);
  expect(clock.now().getTime()).toBe(Date.parse(startIso) + 3_000);
  await expect(clock.advance('soon')).rejects.toMatchObject({ code: 'HF_INVALID_REQUEST' });
  await clock.advance('1s');
});

test('what repeats without time passing is reported, not waited for', async () => {
  const clock = testClock(startIso);
  const again = (): void => void clock.clock.after(0, again);
  again();
  await expect(clock.advance('1s')).rejects.toThrow('does not come to rest');
});
