// What users meet when a leader is killed, cut off, or in doubt.
import { OutcomeUnknownError } from '@holdfast/api';
import { afterEach, expect, test } from 'vitest';
import { Cluster, graceMs, inReminders, timing } from './cluster.ts';

let cluster: Cluster;
afterEach(async () => {
  for (const { fatal } of cluster.nodes.values()) expect(fatal).toEqual([]);
  cluster.heal();
  await cluster.stop();
});

const receiveId = '0123456789abcdef0123456789abcdef';

test('a message whose leader is killed before it is due is delivered once, on time, by the next one', async () => {
  cluster = await Cluster.start();
  const { id, deliverAtMs } = await cluster.schedule('n1', 'x', '2s');
  const killed = cluster.someLeader();
  await cluster.pass(1_900);
  cluster.kill(killed);
  const alive = [...cluster.nodes.keys()];
  await cluster.until(() => cluster.leader() !== undefined, 1_500);
  const messages = await cluster.receive(alive[0] ?? '', { max: 10, wait: '10s' });
  expect(messages).toMatchObject([{ id, attempt: 1 }]);
  expect(cluster.clock.wallMs()).toBeLessThan(deliverAtMs + 1_500);
  expect(await cluster.receive(alive[1] ?? '', { wait: '10s' })).toEqual([]);
});

test('a repeated receive gets the same leases from the next leader: same tokens, no new attempt', async () => {
  cluster = await Cluster.start();
  await cluster.schedule('n1', 'x', 0);
  const first = await cluster.receive(cluster.someFollower(), { receiveId, lease: '30s', wait: '1s' });
  expect(first).toHaveLength(1);
  cluster.kill(cluster.someLeader());
  await cluster.until(() => cluster.leader() !== undefined);
  const again = await cluster.receive(cluster.someFollower(), { receiveId, repeated: true, lease: '30s', wait: '1s' });
  expect(again).toEqual(first);
});

test('a lease that ran out while nobody led is kept for the grace, so that its consumer can still answer', async () => {
  cluster = await Cluster.start();
  const { id } = await cluster.schedule('n1', 'x', 0);
  expect(await cluster.receive('n1', { lease: '1s', wait: '1s' })).toHaveLength(1);
  cluster.kill(cluster.someLeader());
  await cluster.until(() => cluster.leader() !== undefined);
  const sinceMs = cluster.clock.monotonicMs();
  expect(await cluster.receive(cluster.someLeader(), { wait: '30s' })).toMatchObject([{ id, attempt: 2 }]);
  const afterMs = cluster.clock.monotonicMs() - sinceMs;
  expect(afterMs).toBeGreaterThan(graceMs - 100);
  expect(afterMs).toBeLessThan(graceMs + 500);
});

test('the answer to an idempotency key survives the leader that gave it', async () => {
  cluster = await Cluster.start();
  const first = await cluster.schedule('n1', 'x', '1h', 'key-1');
  cluster.kill(cluster.someLeader());
  await cluster.until(() => cluster.leader() !== undefined);
  expect(await cluster.schedule(cluster.someFollower(), 'x', '1h', 'key-1')).toEqual({ ...first, repeated: true });
  const listed = await cluster.answer(cluster.call(cluster.someLeader(), 'list', { ...inReminders, body: undefined }));
  expect(listed.messages).toHaveLength(1);
});

test('a request that comes during an election waits for the new leader', async () => {
  cluster = await Cluster.start();
  const [killed, follower] = [cluster.someLeader(), cluster.someFollower()];
  cluster.kill(killed);
  await cluster.until(() => cluster.node(follower).member.status().raft.leader === undefined);
  expect(await cluster.schedule(follower, 'x', '1h')).toMatchObject({ repeated: false });
});

test('without a majority a request is refused as not applied within about two elections, and says when to come again', async () => {
  cluster = await Cluster.start();
  const alive = cluster.someFollower();
  for (const id of cluster.ids) if (id !== alive) cluster.kill(id);
  await cluster.until(() => cluster.node(alive).member.status().raft.leader === undefined);
  const sinceMs = cluster.clock.monotonicMs();
  const refusal = await cluster.refusal(cluster.schedule(alive, 'x', '1h'));
  expect(refusal).toMatchObject({ code: 'HF_NO_LEADER', applied: 'no', facts: { retryAfterMs: timing.electionMinMs } });
  expect(cluster.clock.monotonicMs() - sinceMs).toBeLessThan(2 * timing.electionMaxMs + 100);
});

test('what another node passed on is refused by a follower, which names the leader', async () => {
  cluster = await Cluster.start();
  const request = { ...inReminders, body: { body: 'x', delay: '1h' } };
  const refusal = await cluster.refusal(cluster.call(cluster.someFollower(), 'schedule', request, { forwarded: true }));
  expect(refusal).toMatchObject({
    code: 'HF_NO_LEADER',
    facts: { leaderApi: `http://${cluster.someLeader()}:7401` },
  });
});

test('a write on a leader that is cut off ends as unknown, or as kept: never as failed', async () => {
  cluster = await Cluster.start();
  const leader = cluster.someLeader();
  cluster.cut(leader);
  const refusal = await cluster.refusal(cluster.schedule(leader, 'x', '1h', 'key-1'));
  expect(refusal).toBeInstanceOf(OutcomeUnknownError);
  expect(refusal).toMatchObject({ applied: 'unknown' });
});

test('a leader that is cut off answers no read, and its waiting receives are sent to another node', async () => {
  cluster = await Cluster.start();
  const cutOff = cluster.someLeader();
  const { id } = await cluster.schedule(cutOff, 'x', '1h');
  const waiting = cluster.refusal(cluster.receive(cutOff, { wait: '60s' }));
  await cluster.pass(100);
  cluster.cut(cutOff);
  await cluster.pass(timing.electionMinMs + 50);
  expect(await cluster.refusal(cluster.get(cutOff, id))).toMatchObject({ code: 'HF_NO_LEADER' });
  expect(await waiting).toMatchObject({ code: 'HF_NO_LEADER' });
  expect(cluster.node(cutOff).member.status().serving).toBe(false);
  const newLeader = cluster.someLeader();
  expect(newLeader).not.toBe(cutOff);
  expect(await cluster.get(newLeader, id)).toMatchObject({ state: 'waiting' });
});

test('a request that was passed on to a leader that is cut off ends when its loss is known', async () => {
  cluster = await Cluster.start();
  const [leader, follower] = [cluster.someLeader(), cluster.someFollower()];
  const { id } = await cluster.schedule(leader, 'x', '1h');
  cluster.cut(leader);
  const sinceMs = cluster.clock.monotonicMs();
  const written = cluster.refusal(cluster.schedule(follower, 'y', '1h', 'key-2'));
  const read = cluster.refusal(cluster.get(follower, id));
  expect(await written).toBeInstanceOf(OutcomeUnknownError);
  expect(await read).toMatchObject({ code: 'HF_NO_LEADER', applied: 'no' });
  expect(cluster.clock.monotonicMs() - sinceMs).toBeLessThan(2 * timing.electionMaxMs);
  expect(await cluster.schedule(follower, 'y', '1h', 'key-2')).toMatchObject({ repeated: false });
});

test('a leader in doubt serves again in the same term when a quorum answers, and delivers', async () => {
  cluster = await Cluster.start();
  const leader = cluster.someLeader();
  const { term } = cluster.node(leader).member.status().raft;
  const { id } = await cluster.schedule(leader, 'x', '2s');
  // It hears nobody, but is heard: nobody else stands for election.
  cluster.deafen(leader);
  await cluster.until(() => cluster.logged.includes(`${leader} scheduler.suspended`), timing.electionMaxMs);
  expect(cluster.node(leader).member.status()).toMatchObject({ serving: false, raft: { role: 'leader' } });
  cluster.heal();
  await cluster.until(() => cluster.logged.includes(`${leader} scheduler.resumed`), timing.electionMaxMs);
  expect(await cluster.receive(leader, { wait: '10s' })).toMatchObject([{ id, attempt: 1 }]);
  expect(cluster.node(leader).member.status().raft.term).toBe(term);
});

test('all nodes killed and started again know everything that was acknowledged', async () => {
  cluster = await Cluster.start();
  const { id } = await cluster.schedule('n1', 'x', '3s');
  const cancelled = await cluster.schedule('n2', 'y', '3s');
  await cluster.cancel('n3', cancelled.id);
  for (const node of cluster.ids) cluster.kill(node);
  for (const node of cluster.ids) await cluster.restart(node);
  await cluster.until(() => cluster.leader() !== undefined);
  expect(await cluster.receive('n1', { max: 10, wait: '30s' })).toMatchObject([{ id, attempt: 1 }]);
  expect(await cluster.cancel('n2', cancelled.id)).toEqual({ kind: 'cancelled' });
  await cluster.pass(500);
  const hashes = [...cluster.nodes.values()].map(({ member }) => member.status().stateHash);
  expect(new Set(hashes).size).toBe(1);
});

test('a node that stops answers its waiters, and nobody after that', async () => {
  cluster = await Cluster.start();
  const leader = cluster.someLeader();
  const { member } = cluster.node(leader);
  const waiting = cluster.refusal(cluster.receive(leader, { wait: '60s' }));
  const writing = cluster.schedule(leader, 'x', '1h').catch((error: unknown) => error);
  await cluster.pass(50);
  await cluster.answer(member.stop());
  cluster.nodes.delete(leader);
  expect(await waiting).toMatchObject({ applied: 'no' });
  expect(await writing).toMatchObject({ repeated: false });
  const { signal } = new AbortController();
  const after = member.service.call(
    'cluster',
    { params: {}, query: {}, body: undefined, idempotencyKey: undefined },
    { signal, forwarded: false },
  );
  expect(await cluster.refusal(after)).toMatchObject({ code: 'HF_STOPPING' });
});
