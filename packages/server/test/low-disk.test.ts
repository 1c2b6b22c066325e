// What users meet when disks have no room: new messages are refused, and everything that ends one goes on.
import { afterEach, expect, test } from 'vitest';
import { Cluster, ofMailer } from './cluster.ts';

let cluster: Cluster;
afterEach(async () => {
  for (const { fatal } of cluster.nodes.values()) expect(fatal).toEqual([]);
  await cluster.stop();
});

const low = { code: 'HF_DISK_LOW', applied: 'no', status: 507 };
const leaderSays = async () =>
  cluster.answer(cluster.call(cluster.someLeader(), 'cluster', { params: {}, query: {}, body: undefined }));

/** Sets the room of some nodes, and waits until everybody knows. */
async function setFree(ids: readonly string[], freeBytes: number): Promise<void> {
  for (const id of ids) cluster.freeBytes.set(id, freeBytes);
  await cluster.pass(5_000);
}

test('all disks low: new messages and groups are refused at every node, all else goes on, and room ends it', async () => {
  cluster = await Cluster.start();
  const [doomed, kept] = [await cluster.schedule('n1', 'x', '1h'), await cluster.schedule('n1', 'y', '8s', 'key-y')];
  await cluster.schedule('n1', 'z', 0);
  expect(await cluster.receive('n1', { wait: '1s', lease: '1s' })).toHaveLength(1);
  await setFree(cluster.ids, 999);
  for (const id of cluster.ids) {
    expect(await cluster.refusal(cluster.schedule(id, 'w', 0))).toMatchObject(low);
    const group = { params: { topic: 'reminders', group: 'other' }, query: {} };
    expect(await cluster.refusal(cluster.call(id, 'putGroup', { ...group, body: {} }))).toMatchObject(low);
    const create = { create: { start: 'earliest' as const }, wait: 0 };
    expect(await cluster.refusal(cluster.call(id, 'receive', { ...group, body: create }))).toMatchObject(low);
  }
  const members = cluster.ids.map((id) => ({ id, disk: { freeBytes: 999, low: true } }));
  expect(await leaderSays()).toMatchObject({ acceptsNew: false, members });

  // A consumer that starts now says its group's settings, receives, extends, nacks and acknowledges.
  await cluster.answer(cluster.call('n2', 'putGroup', { ...ofMailer, body: { maxAttempts: 9 } }));
  expect(await cluster.cancel('n3', doomed.id)).toEqual({ kind: 'cancelled' });
  const done: string[] = [];
  while (done.length < 2) {
    const [message] = await cluster.receive('n2', { max: 1, wait: '20s', lease: '10s' });
    const body = { receipts: [message?.receipt ?? ''] };
    await cluster.answer(cluster.call('n3', 'extend', { ...ofMailer, body: { ...body, lease: '20s' } }));
    if (message?.attempt === 2) await cluster.answer(cluster.call('n1', 'nack', { ...ofMailer, body }));
    else if (message !== undefined) {
      const { results } = await cluster.answer(cluster.call('n1', 'ack', { ...ofMailer, body }));
      done.push(results[0]?.result ?? 'none');
    }
  }
  expect(done).toEqual(['ok', 'ok']);
  expect(await cluster.get('n1', kept.id)).toMatchObject({ state: 'delivered' });

  await setFree(cluster.ids, 1_499);
  expect(await cluster.refusal(cluster.schedule('n1', 'w', 0))).toMatchObject(low);
  await setFree(cluster.ids, 1_500);
  expect(await cluster.schedule('n1', 'w', 0)).toMatchObject({ repeated: false });
  expect(await leaderSays()).toMatchObject({ acceptsNew: true });
  const leader = cluster.someLeader();
  expect(cluster.logged).toEqual(expect.arrayContaining([`${leader} disk.refuses`, `${leader} disk.accepts`]));
  expect(cluster.node(leader).member.status().refusals.get('minFreeBytes')).toBeGreaterThanOrEqual(9);
});

test('one follower low keeps nobody from writing; with a second one, or without the third, no majority has room', async () => {
  cluster = await Cluster.start();
  const leader = cluster.someLeader();
  const [first = '', second = ''] = cluster.ids.filter((id) => id !== leader);
  await setFree([first], 10);
  expect(await cluster.schedule(first, 'x', '1h')).toMatchObject({ repeated: false });
  expect(await leaderSays()).toMatchObject({ acceptsNew: true });
  await setFree([second], 10);
  expect(await cluster.refusal(cluster.schedule(first, 'x', '1h'))).toMatchObject(low);
  await setFree([second], 10_000);
  await cluster.schedule(first, 'x', '1h');
  cluster.kill(second);
  await cluster.pass(1_000);
  expect(await cluster.refusal(cluster.schedule(first, 'x', '1h'))).toMatchObject(low);
  await cluster.restart(second);
  await cluster.pass(1_000);
  expect(await cluster.schedule(first, 'x', '1h')).toMatchObject({ repeated: false });
});

test('a new leader learns of the disks of the others, and its own low disk is reason enough', async () => {
  cluster = await Cluster.start();
  const leader = cluster.someLeader();
  const others = cluster.ids.filter((id) => id !== leader);
  await setFree(others, 10);
  cluster.kill(leader);
  await cluster.until(() => cluster.leader() !== undefined);
  expect(await cluster.refusal(cluster.schedule(others[0] ?? '', 'x', '1h'))).toMatchObject(low);
});
