import { expect, test } from 'vitest';
import { Story, topic } from '../../test/story.ts';

const graceRunning = ['graceRunning'];

test('a lease is released when it has run out, and not before', async () => {
  const story = await Story.open(['g']);
  await story.newTerm(0);
  const position = await story.scheduleOne(0);
  const lease = await story.leaseOne(1, 1_000);
  await story.pass(999);
  expect(await story.release(1, lease)).toEqual(['receiptNotCurrent']);
  await story.pass(1);
  expect(await story.release(1, lease, 50)).toEqual(['ok']);
  expect(await story.release(1, lease)).toEqual(['receiptNotCurrent']);
  await story.pass(50);
  expect(await story.leaseOne(1)).toMatchObject({ position, attempt: 2 });
  expect(await story.check()).toEqual([]);
});

test('a release names exact leases: an extended one stays', async () => {
  const story = await Story.open(['g']);
  await story.newTerm(0);
  await story.schedule(0);
  const lease = await story.leaseOne(1, 1_000);
  await story.pass(1_000);
  await story.node.apply({ kind: 'extend', topic, group: 1, leases: [lease], leaseMs: 500 });
  expect(await story.release(1, lease)).toEqual(['receiptNotCurrent']);
  expect(await story.ack(1, lease)).toEqual(['ok']);
});

test('nothing is released inside the grace of a term [H3]', async () => {
  const story = await Story.open(['g']);
  await story.newTerm(0);
  await story.schedule(0);
  const lease = await story.leaseOne(1, 100);
  await story.pass(100);
  await story.newTerm(3_000);
  expect(story.node.store.releaseFrom).toEqual({ term: 3, fromMs: 1_003_100 });
  await story.pass(2_999);
  expect(await story.release(1, lease)).toEqual(graceRunning);
  // The consumer that acknowledged in time and was not heard repeats itself.
  expect(await story.ack(1, lease)).toEqual(['ok']);
  expect(await story.check()).toEqual([]);
});

test('after the grace it goes', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0);
  const lease = await story.leaseOne(1, 100);
  await story.newTerm(3_000);
  await story.pass(3_000);
  expect(await story.release(1, lease)).toEqual(['ok']);
});

test('the begin of another term is none, and before the first begin nothing is released [H8]', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0);
  const lease = await story.leaseOne(1, 100);
  await story.pass(100_000);
  expect(await story.release(1, lease)).toEqual(graceRunning);
  await story.newTerm(0);
  story.node.term += 1;
  expect(await story.release(1, lease)).toEqual(graceRunning);
  story.node.term += 1;
  await story.node.apply({ kind: 'begin', graceMs: 0 });
  expect(await story.release(1, lease)).toEqual(['ok']);
});

test('the grace is counted from the stamp of the begin, and not from the clock before it [H8]', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0);
  const lease = await story.leaseOne(1, 5_000);
  // Nobody led for ten seconds: the clock stands where it stood until the begin is stamped.
  story.node.stampMs += 10_000;
  story.node.term += 1;
  expect(await story.node.apply({ kind: 'begin', graceMs: 3_000 })).toEqual({
    kind: 'begun',
    releaseFromMs: 1_013_000,
  });
  expect(story.node.changes.at(-1)).toEqual({ kind: 'begun', term: 2, releaseFromMs: 1_013_000 });
  await story.pass(2_999);
  expect(await story.release(1, lease)).toEqual(graceRunning);
  await story.pass(1);
  expect(await story.release(1, lease)).toEqual(['ok']);
});

test('leaders that change faster than a grace postpone a release to ten times the grace, and no further', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0);
  const lease = await story.leaseOne(1, 100);
  for (let change = 0; change < 14; change += 1) {
    await story.newTerm(3_000);
    await story.pass(2_000);
    expect(await story.release(1, lease)).toEqual(graceRunning);
  }
  await story.newTerm(3_000);
  await story.pass(2_099);
  expect(await story.release(1, lease)).toEqual(graceRunning);
  await story.pass(1);
  expect(await story.release(1, lease)).toEqual(['ok']);
});

test('one lease inside the grace refuses the whole release, and leaves nothing of it', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0);
  const old = await story.leaseOne(1, 100);
  await story.pass(29_000);
  await story.schedule(0);
  const young = await story.leaseOne(1, 100);
  await story.pass(1_500);
  await story.newTerm(3_000);
  const leases = [old, young].map((lease) => ({ ...lease, delayMs: 0 }));
  const { seq } = story.node.store;
  expect(await story.node.apply({ kind: 'release', topic, group: 1, leases })).toEqual({
    kind: 'refused',
    code: 'graceRunning',
  });
  expect(story.node.store.seq).toBe(seq);
  expect(await story.ack(1, old)).toEqual(['ok']);
  expect(await story.check()).toEqual([]);
});

test('used-up attempts make a dead letter of a lease that ran out', async () => {
  const story = await Story.open([]);
  await story.createGroup('g', { kind: 'earliest' }, { maxAttempts: 1 });
  await story.newTerm(0);
  const position = await story.scheduleOne(0);
  const lease = await story.leaseOne(1, 100);
  await story.pass(100);
  expect(await story.release(1, lease)).toEqual(['ok']);
  const view = story.node.store.view();
  expect(view.hold(topic, 1, position)).toMatchObject({ state: 'dead', reason: 'lease ran out' });
  await view.close();
  expect(await story.check()).toEqual([]);
});

test('a lease that is given back may be leased at once, and counts no attempt', async () => {
  const story = await Story.open([]);
  await story.createGroup('g', { kind: 'earliest' }, { maxAttempts: 1 });
  const position = await story.scheduleOne(0);
  const lease = await story.leaseOne(1);
  const giveBack = () => story.node.apply({ kind: 'giveBack', topic, group: 1, leases: [lease] });
  expect(await giveBack()).toEqual({ kind: 'answers', answers: ['ok'] });
  expect(await giveBack()).toEqual({ kind: 'answers', answers: ['receiptNotCurrent'] });
  const again = await story.leaseOne(1);
  expect(again).toMatchObject({ position, attempt: 1 });
  expect(again.token).toBeGreaterThan(lease.token);
  expect(await story.check()).toEqual([]);
});
