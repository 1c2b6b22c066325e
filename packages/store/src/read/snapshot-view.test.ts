import { expect, test } from 'vitest';
import { bytes } from '../../test/harness.ts';
import { Story, topic } from '../../test/story.ts';
import { comparePositions, openStore, origin, type Position, type StateReader } from '../index.ts';

const farAway: Position = { fireAtMs: 2 ** 47, seq: 0 };

test('a view shows what is applied and not written, and clock and seq of that moment [P1]', async () => {
  const story = await Story.open(['g'], { writing: 'later' });
  const [a, b] = await story.schedule(0, 400);
  const view = story.node.store.view();
  expect([view.appliedIndex, view.clockMs, view.seq]).toEqual([2, 1_000_000, 2]);
  expect(await view.lane(topic, origin, farAway, 10)).toEqual([a, b]);
  await view.close();
});

test('a scan that lasts sees one moment, though turns are written and entries applied meanwhile [P2]', async () => {
  const story = await Story.open(['g'], { writing: 'later' });
  const [a, b] = await story.schedule(0, 400);
  const view = story.node.store.view();
  const scan = view.lane(topic, origin, farAway, 10);
  story.node.turn();
  const c = await story.scheduleOne(10);
  await story.lease(1);
  if (a !== undefined) await story.cancel(c);
  await story.node.durable();
  expect(await scan).toEqual([a, b]);
  expect(await view.lane(topic, origin, farAway, 10)).toEqual([a, b]);
  expect(view.groupByName(topic, 'g')).toMatchObject({ cursor: origin, outstanding: 0 });
  expect(view.topicByName('t')).toMatchObject({ scheduled: 2, cancelled: 0 });
  await view.close();
});

test('the seq of a view is the last one issued: what comes next lands above (clock, seq) [P8]', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0);
  const view = story.node.store.view();
  const now = { fireAtMs: view.clockMs, seq: view.seq };
  await view.close();
  expect(comparePositions(await story.scheduleOne(0), now)).toBeGreaterThan(0);
});

test('reads see nothing of an entry before it has ended, and its commands see each other', async () => {
  const story = await Story.open(['g']);
  const { node } = story;
  const heard = node.changes.length;
  const entry = { ...node.log[0], index: node.log.length + 1, term: 1, header: new Uint8Array() };
  node.store.begin(entry);
  const command = node.log[0]?.commands[0] ?? bytes('');
  expect(node.store.command(command)).toMatchObject({ created: false });
  const middle = node.store.view();
  expect([middle.appliedIndex, node.store.applied.index]).toEqual([1, 1]);
  expect(node.changes.length).toBe(heard);
  node.store.end();
  expect([middle.appliedIndex, node.store.applied.index]).toEqual([1, 2]);
  expect(node.changes.length).toBe(heard + 1);
  await middle.close();
});

test('rows in layers and on disk come merged in order, deleted ones left out, up to the limit', async () => {
  const story = await Story.open(['g'], { writing: 'later' });
  const written = await story.schedule(100, 300, 500);
  story.node.turn();
  await story.node.durable();
  const pending = await story.schedule(200, 400);
  const [first, second] = written;
  if (first === undefined || second === undefined) throw new Error('not scheduled');
  await story.cancel(second);
  const view = story.node.store.view();
  const expected = [...written, ...pending].filter((position) => position !== second).sort(comparePositions);
  expect(await view.lane(topic, origin, farAway, 10)).toEqual(expected);
  for (let limit = 0; limit < 5; limit += 1) {
    expect(await view.lane(topic, origin, farAway, limit)).toEqual(expected.slice(0, limit));
  }
  expect(await view.lane(topic, first, { fireAtMs: 1_000_400, seq: 99 }, 10)).toEqual(expected.slice(1, 3));
  expect(await view.lane(topic, farAway, origin, 10)).toEqual([]);
  const listed = await view.messages(topic, origin, farAway, 10);
  expect(listed.map(({ position, body }) => [position, Buffer.from(body).toString()])).toEqual(
    expected.map((position) => [position, `${position.fireAtMs - 1_000_000}`]),
  );
  await view.close();
});

test('a list goes on from where it ended', async () => {
  const story = await Story.open(['g']);
  const all = await story.schedule(...Array.from({ length: 25 }, (_, index) => (index * 7) % 10));
  const view = story.node.store.view();
  const seen: Position[] = [];
  for (
    let page = await view.lane(topic, origin, farAway, 4);
    page.length > 0;
    page = await view.lane(topic, seen.at(-1) ?? origin, farAway, 4)
  ) {
    seen.push(...page);
  }
  expect(seen).toEqual([...all].sort(comparePositions));
  await view.close();
});

/** Counts what a scan has to walk over: the lower bounds that iterators were opened with. */
function watched(database: StateReader): { reader: StateReader; readonly begins: string[] } {
  const begins: string[] = [];
  const reader: StateReader = {
    getSync: (key: Uint8Array) => database.getSync(key),
    snapshot: () => database.snapshot(),
    iterator(options) {
      begins.push(Buffer.from(options.gte).toString('hex'));
      return database.iterator(options);
    },
  };
  return { reader, begins };
}

test('no scan begins below what was found empty before', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0, 0, 0);
  await story.ack(1, ...(await story.lease(1)));
  const { reader, begins } = watched(story.node.database);
  const store = await openStore({ database: reader });
  const walk = async (): Promise<readonly string[]> => {
    begins.length = 0;
    const view = store.view();
    await view.lane(topic, origin, farAway, 10);
    await view.holds(topic, 1, origin, 10);
    await view.retries(topic, 1, { retryAtMs: 0, retrySeq: 0 }, 10);
    await view.dueAnswers(view.clockMs, 10);
    await view.dueEnded(view.clockMs, 10);
    await view.close();
    return [...begins];
  };
  const first = await walk();
  const second = await walk();
  expect(first).toHaveLength(5);
  for (const [index, begin] of second.entries()) expect(begin > (first[index] ?? '')).toBe(true);
  expect(await walk()).toEqual(second);
});

test('an unknown topic has nothing', async () => {
  const story = await Story.open([]);
  const view = story.node.store.view();
  expect([view.topics(), view.topicByName('t'), view.groups(9), view.groupByName(9, 'g')]).toEqual([
    [],
    undefined,
    [],
    undefined,
  ]);
  expect(view.fate(9, { fireAtMs: 1, seq: 1 })).toEqual({ kind: 'notFound' });
  expect(await view.lane(9, origin, farAway, 9)).toEqual([]);
  await view.close();
});
