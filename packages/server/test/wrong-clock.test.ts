// A leader whose own clock is the wrong one gives leadership away, once, and users notice nothing.
import { afterEach, expect, test } from 'vitest';
import { Cluster } from './cluster.ts';

let cluster: Cluster;
afterEach(async () => {
  for (const { fatal } of cluster.nodes.values()) expect(fatal).toEqual([]);
  await cluster.stop();
});

const termOf = (id: string): number => cluster.node(id).member.status().raft.term;

test.each([60_000, -60_000])('a leader that is wrong by %i ms hands over, and what waits comes on time', async (ms) => {
  cluster = await Cluster.start();
  const wrong = cluster.someLeader();
  const term = termOf(wrong);
  const { id, deliverAtMs } = await cluster.schedule(wrong, 'x', '20s');
  const waiting = cluster.receive(cluster.someFollower(), { wait: '40s' }).catch(() => undefined);
  cluster.aheadMs.set(wrong, ms);
  await cluster.until(() => cluster.leader() !== undefined && cluster.leader() !== wrong, 10_000);
  expect(cluster.logged).toContain(`${wrong} clock.handsOver`);
  expect(termOf(cluster.someLeader())).toBe(term + 1);
  // A receive that waited at the old leader is told to try another node; this one waits at the new one.
  const received = (await waiting) ?? (await cluster.receive(cluster.someFollower(), { wait: '40s' }));
  expect(received).toMatchObject([{ id, attempt: 1 }]);
  expect(cluster.clock.wallMs()).toBeGreaterThanOrEqual(deliverAtMs);
  expect(cluster.clock.wallMs()).toBeLessThan(deliverAtMs + 300);
  await cluster.pass(20_000);
  expect(termOf(cluster.someLeader())).toBe(term + 1);
  expect(cluster.node(wrong).member.status().skewHandOvers).toBe(1);
});

test('a leader whose clock is right keeps its office when another clock is wrong', async () => {
  cluster = await Cluster.start();
  const leader = cluster.someLeader();
  cluster.aheadMs.set(cluster.someFollower(), 60_000);
  await cluster.pass(20_000);
  expect(cluster.leader()).toBe(leader);
  expect(cluster.logged).toContain(`${leader} clock.skewed`);
});
