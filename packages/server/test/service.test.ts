// Reads, groups and refusals, through the service of a member.
import { bounds, defaults } from '@holdfast/api';
import { afterEach, expect, test } from 'vitest';
import { Cluster, inReminders, ofMailer } from './cluster.ts';

let cluster: Cluster;
afterEach(async () => {
  for (const { fatal } of cluster.nodes.values()) expect(fatal).toEqual([]);
  await cluster.stop();
});

const listOf = (query: object) =>
  cluster.answer(cluster.call('n1', 'list', { ...inReminders, query, body: undefined }));

test('a list goes on where its page ended, in order of time, and the last page has no cursor', async () => {
  cluster = await Cluster.start(['n1']);
  const messages = Array.from({ length: 25 }, (_, number) => ({
    body: number,
    delay: 3_600_000 + (24 - number) * 1_000,
  }));
  const scheduled = await cluster.answer(cluster.call('n1', 'schedule', { ...inReminders, body: { messages } }));
  const expected = scheduled.messages.map(({ id }) => id).toReversed();
  const listed: string[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await listOf(cursor === undefined ? { limit: 10 } : { limit: 10, cursor });
    listed.push(...page.messages.map(({ id }) => id));
    cursor = page.cursor;
    pages += 1;
  } while (cursor !== undefined);
  expect(listed).toEqual(expected);
  expect(pages).toBe(3);
});

test('a list of a range has what is due from its start to just before its end', async () => {
  cluster = await Cluster.start(['n1']);
  const startMs = cluster.clock.wallMs() + 3_600_000;
  const messages = [0, 1, 2, 3].map((number) => ({ body: number, at: startMs + number }));
  const scheduled = await cluster.answer(cluster.call('n1', 'schedule', { ...inReminders, body: { messages } }));
  const ids = scheduled.messages.map(({ id }) => id);
  const page = await listOf({ dueAfter: startMs + 1, dueBefore: String(startMs + 3) });
  expect(page.messages.map(({ id }) => id)).toEqual(ids.slice(1, 3));
  expect(page.cursor).toBeUndefined();
});

test('a page is bounded in bytes', async () => {
  cluster = await Cluster.start(['n1']);
  const bodyBytes = new Uint8Array(bounds.bodyBytes);
  for (let number = 0; number < 6; number += 1)
    await cluster.answer(cluster.call('n1', 'schedule', { ...inReminders, body: { bodyBytes, delay: '1h' } }));
  const first = await listOf({ limit: 1_000 });
  expect(first.messages).toHaveLength(4);
  const second = await listOf({ limit: 1_000, cursor: first.cursor });
  expect(second.messages).toHaveLength(2);
  expect(second.cursor).toBeUndefined();
});

test('a cursor of another topic, and one that is none, are refused', async () => {
  cluster = await Cluster.start(['n1']);
  const messages = [1, 2].map((body) => ({ body, delay: '1h' }));
  for (const topic of ['reminders', 'others'])
    await cluster.answer(cluster.call('n1', 'schedule', { params: { topic }, query: {}, body: { messages } }));
  const { cursor = '' } = await listOf({ limit: 1 });
  for (const [topic, given] of [
    ['others', cursor],
    ['reminders', `x${cursor}`],
  ] as const) {
    const refusal = await cluster.refusal(
      cluster.call('n1', 'list', { params: { topic }, query: { cursor: given }, body: undefined }),
    );
    expect(refusal).toMatchObject({ code: 'HF_INVALID_REQUEST', facts: { fields: [{ path: 'cursor' }] } });
  }
});

test('a group can be made, changed, seen and deleted; its start stays', async () => {
  cluster = await Cluster.start();
  const made = await cluster.answer(
    cluster.call('n1', 'putGroup', { ...ofMailer, body: { start: 'now', maxAttempts: 3 } }),
  );
  expect(made).toMatchObject({ maxAttempts: 3, backoffMaxMs: defaults.backoffMaxMs });
  const changed = await cluster.answer(
    cluster.call('n2', 'putGroup', { ...ofMailer, body: { maxAttempts: 4, backoffFirst: '5s' } }),
  );
  expect(changed).toMatchObject({ maxAttempts: 4, backoffFirstMs: 5_000, cursorMs: made.cursorMs });
  expect(await cluster.answer(cluster.call('n3', 'group', { ...ofMailer, body: undefined }))).toEqual(changed);
  const { topics } = await cluster.answer(cluster.call('n3', 'topics', { params: {}, query: {}, body: undefined }));
  expect(topics).toMatchObject([{ name: 'reminders', scheduled: 0, groups: [{ name: 'mailer' }] }]);
  expect(await cluster.answer(cluster.call('n1', 'deleteGroup', { ...ofMailer, body: undefined }))).toEqual({
    kind: 'deleting',
  });
  for (const verb of ['group', 'deleteGroup'] as const)
    expect(await cluster.refusal(cluster.call('n1', verb, { ...ofMailer, body: undefined }))).toMatchObject({
      code: 'HF_GROUP_NOT_FOUND',
    });
  expect(await cluster.receive('n1', { wait: 0 })).toEqual([]);
});

test('what is not there is said by its own code', async () => {
  cluster = await Cluster.start(['n1']);
  const receipts = ['A'.repeat(44)];
  const noTopic = { code: 'HF_TOPIC_NOT_FOUND', applied: 'no' };
  expect(await cluster.refusal(cluster.call('n1', 'topic', { ...inReminders, body: undefined }))).toMatchObject(
    noTopic,
  );
  expect(await cluster.refusal(cluster.call('n1', 'list', { ...inReminders, body: undefined }))).toMatchObject(noTopic);
  expect(await cluster.refusal(cluster.call('n1', 'receive', { ...ofMailer, body: {} }))).toMatchObject(noTopic);
  await cluster.schedule('n1', 'x', '1h');
  const noGroup = { code: 'HF_GROUP_NOT_FOUND', applied: 'no' };
  expect(await cluster.refusal(cluster.call('n1', 'receive', { ...ofMailer, body: {} }))).toMatchObject(noGroup);
  expect(await cluster.refusal(cluster.call('n1', 'deadLetters', { ...ofMailer, body: undefined }))).toMatchObject(
    noGroup,
  );
  expect(await cluster.refusal(cluster.call('n1', 'ack', { ...ofMailer, body: { receipts } }))).toMatchObject({
    code: 'HF_INVALID_REQUEST',
  });
});

test('a batch that fits no command is refused before anything is written', async () => {
  cluster = await Cluster.start(['n1']);
  const messages = [1, 2, 3, 4].map(() => ({ bodyBytes: new Uint8Array(800 * 1024), delay: 0 }));
  const refusal = await cluster.refusal(cluster.call('n1', 'schedule', { ...inReminders, body: { messages } }));
  expect(refusal).toMatchObject({ code: 'HF_BODY_TOO_LARGE', applied: 'no' });
  expect(refusal.facts.detail).toContain(String(bounds.batchBytes));
  expect(await cluster.refusal(cluster.call('n1', 'topic', { ...inReminders, body: undefined }))).toMatchObject({
    code: 'HF_TOPIC_NOT_FOUND',
  });
});

test('bad input is refused by every node, also by one that knows no leader', async () => {
  cluster = new Cluster(['n1', 'n2', 'n3'], 1);
  await cluster.restart('n1');
  const body = { body: 'x', delay: '1h', priority: 1 };
  expect(await cluster.refusal(cluster.call('n1', 'schedule', { ...inReminders, body }))).toMatchObject({
    code: 'HF_INVALID_REQUEST',
    facts: { fields: [{ path: 'priority' }] },
  });
});

test('each node tells of the cluster as it sees it, also without a leader', async () => {
  cluster = new Cluster(['n1', 'n2', 'n3'], 1);
  await cluster.restart('n1');
  const request = { params: {}, query: {}, body: undefined };
  const alone = await cluster.answer(cluster.call('n1', 'cluster', request));
  expect(alone).toMatchObject({ id: 'n1', role: 'follower', serving: false, term: 0 });
  expect(alone.clusterId).toBeUndefined();
  await cluster.restart('n2');
  await cluster.restart('n3');
  await cluster.until(() => cluster.leader() !== undefined);
  const leader = cluster.someLeader();
  await cluster.schedule(leader, 'x', '1h');
  await cluster.pass(500);
  const seen = await cluster.answer(cluster.call(leader, 'cluster', request));
  expect(seen).toMatchObject({ id: leader, leader, role: 'leader', serving: true });
  expect(seen.members.filter(({ id }) => id !== leader)).toMatchObject([
    { match: seen.commit, applied: seen.applied, reachable: true, skewMs: expect.any(Number) },
    { match: seen.commit, applied: seen.applied, reachable: true, skewMs: expect.any(Number) },
  ]);
  const follower = await cluster.answer(cluster.call(cluster.someFollower(), 'cluster', request));
  expect(follower).toMatchObject({
    leader,
    role: 'follower',
    serving: false,
    clusterId: seen.clusterId,
    stateHash: seen.stateHash,
  });
});

test('a clock that is far off makes nothing early, and is said', async () => {
  cluster = new Cluster(['n1', 'n2', 'n3'], 1);
  cluster.aheadMs.set('n1', 60_000);
  for (const id of cluster.ids) await cluster.restart(id);
  await cluster.until(() => cluster.leader() !== undefined);
  const { deliverAtMs } = await cluster.schedule('n1', 'x', '5s');
  expect(deliverAtMs).toBeLessThan(cluster.clock.wallMs() + 5_100);
  expect(await cluster.receive('n2', { wait: '30s' })).toHaveLength(1);
  expect(cluster.clock.wallMs()).toBeGreaterThanOrEqual(deliverAtMs);
  expect(cluster.logged).toContain(`${cluster.someLeader()} clock.skewed`);
  const status = cluster.node(cluster.someLeader()).member.status();
  expect(status.skewMs.get('n1')).toBeGreaterThan(59_000);
});

test('a caller that walked away gets no lease', async () => {
  cluster = await Cluster.start();
  const caller = new AbortController();
  const waiting = cluster.call(
    'n1',
    'receive',
    { ...ofMailer, body: { wait: '60s', create: { start: 'earliest' } } },
    { signal: caller.signal },
  );
  waiting.catch(() => undefined);
  await cluster.pass(200);
  caller.abort();
  await cluster.pass(50);
  const { id } = await cluster.schedule('n2', 'x', 0);
  await cluster.pass(1_000);
  expect(await cluster.receive('n3', { wait: '1s' })).toMatchObject([{ id, attempt: 1 }]);
});

test('more receives than may wait are refused, and told when to come again', async () => {
  cluster = await Cluster.start(['n1']);
  await cluster.answer(cluster.call('n1', 'putGroup', { ...ofMailer, body: {} }));
  const receive = () => cluster.call('n1', 'receive', { ...ofMailer, body: { wait: '60s', lease: '10m' } });
  const waiting = Array.from({ length: 1_000 }, receive);
  const ends = Promise.allSettled(waiting);
  await cluster.pass(50);
  expect(cluster.node('n1').member.status()).toMatchObject({ requestsInProgress: 1_000 });
  expect(await cluster.refusal(receive())).toMatchObject({
    code: 'HF_TOO_MANY_WAITING',
    applied: 'no',
    facts: { retryAfterMs: expect.any(Number) },
  });
  await cluster.schedule('n1', 'x', 0);
  await cluster.pass(62_000);
  const received = (await ends).map((end) => (end.status === 'fulfilled' ? end.value.messages.length : 'refused'));
  expect(received.filter((count) => count === 1)).toHaveLength(1);
  expect(received.filter((count) => count === 0)).toHaveLength(999);
  expect(cluster.node('n1').member.status().requestsInProgress).toBe(0);
});
