// Faults of the node itself: what the caller is told, and when the node must stop.
import { OutcomeUnknownError } from '@holdfast/api';
import { expect, test } from 'vitest';
import { Cluster, inReminders, ofMailer } from './cluster.ts';

test('a damaged row is answered as a fault, and stops the node', async () => {
  const cluster = await Cluster.start(['n1']);
  const { id } = await cluster.schedule('n1', 'needle in a haystack', '1h');
  await cluster.pass(500);
  await cluster.damage('n1', 'needle in a haystack');
  const { member, fatal } = cluster.node('n1');
  const refusal = await cluster.refusal(cluster.get('n1', id));
  expect(refusal).toMatchObject({ code: 'HF_INTERNAL', applied: 'unknown' });
  expect(cluster.logged).toContain('n1 service.fault');
  expect(fatal).toMatchObject([{ name: 'CorruptRow' }]);
  expect(await cluster.refusal(cluster.get('n1', id))).toMatchObject({ code: 'HF_STOPPING' });
  await cluster.answer(member.stop());
});

test('a leader that met a damaged row makes room: the others elect, and go on', async () => {
  const cluster = await Cluster.start(['n1', 'n2', 'n3']);
  const damaged = cluster.someLeader();
  const { id } = await cluster.schedule(damaged, 'needle in a haystack', '1h');
  await cluster.pass(500);
  await cluster.damage(damaged, 'needle in a haystack');
  expect(await cluster.refusal(cluster.get(damaged, id))).toMatchObject({ code: 'HF_INTERNAL' });
  await cluster.pass(2_000);
  const next = cluster.leader();
  expect(next).toBeDefined();
  expect(next).not.toBe(damaged);
  expect(await cluster.answer(cluster.get(next ?? '', id))).toMatchObject({ state: 'waiting' });
});

test('a write to the disk that fails stops the node, and what was on its way is not called failed', async () => {
  const cluster = await Cluster.start(['n1']);
  const { member, fatal } = cluster.node('n1');
  cluster.failWrites('n1');
  const refusal = await cluster.refusal(cluster.schedule('n1', 'x', '1h'), 5_000);
  expect(refusal).toBeInstanceOf(OutcomeUnknownError);
  expect(fatal).toMatchObject([{ code: 'HF_WRITE_FAILED' }]);
  expect(member.status().serving).toBe(false);
  expect(await cluster.refusal(cluster.schedule('n1', 'x', '1h'))).toMatchObject({ code: 'HF_STOPPING' });
  await cluster.answer(member.stop());
});

test('a node whose disk hangs answers its waiters at once when it stops, and stops in bounded time', async () => {
  const cluster = await Cluster.start(['n1']);
  await cluster.answer(cluster.call('n1', 'putGroup', { ...ofMailer, body: {} }));
  const waiting = cluster.refusal(cluster.call('n1', 'receive', { ...ofMailer, body: { wait: '60s' } }), 20);
  cluster.hangWrites('n1');
  const writing = cluster.call('n1', 'schedule', { ...inReminders, body: { body: 'x', delay: '1h' } });
  writing.catch(() => undefined);
  await cluster.pass(10);
  const sinceMs = cluster.clock.monotonicMs();
  const stopping = cluster.node('n1').member.stop();
  expect(await waiting).toMatchObject({ applied: 'no' });
  await cluster.answer(stopping);
  expect(cluster.clock.monotonicMs() - sinceMs).toBeLessThan(11_000);
  expect(cluster.logged).toContain('n1 member.stopLate');
});

test('a request that waits for a leader is answered at once when its node stops', async () => {
  const cluster = new Cluster(['n1', 'n2', 'n3'], 1);
  const { member } = await cluster.restart('n1');
  const waiting = cluster.refusal(cluster.schedule('n1', 'x', '1h'), 50);
  await cluster.pass(20);
  const stopping = member.stop();
  expect(await waiting).toMatchObject({ code: 'HF_STOPPING' });
  await cluster.answer(stopping);
});
