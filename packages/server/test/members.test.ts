import { expect, test } from 'vitest';
import { Cluster, peerOf } from './cluster.ts';

const nothing = { params: {}, query: {}, body: undefined };
const waiting = async (cluster: Cluster, id: string) => {
  const { waiting: described } = await cluster.answer(cluster.call(id, 'cluster', nothing));
  if (described === undefined) throw new Error(`${id} does not wait`);
  return { id, ...described };
};
const rolesAt = async (cluster: Cluster, at: string) => {
  const { members } = await cluster.answer(cluster.call(at, 'members', nothing));
  return members.map(({ id, role }) => `${id} ${role}`);
};

async function grow(cluster: Cluster, at: string, id: string): Promise<void> {
  await cluster.restart(id);
  const body = await waiting(cluster, id);
  const added = await cluster.answer(cluster.call(at, 'addMember', { params: {}, query: {}, body }));
  expect(added).toEqual({ kind: 'added', role: 'learner' });
  await cluster.until(() => {
    const { configuration, configurationIndex, commit } = cluster.node(at).member.status().raft;
    return commit >= configurationIndex && configuration.voters.some((voter) => voter.id === id);
  });
  const again = await cluster.answer(cluster.call(at, 'addMember', { params: {}, query: {}, body }));
  expect(again).toEqual({ kind: 'already', role: 'voter' });
}

const remove = (cluster: Cluster, at: string, id: string) =>
  cluster.call(at, 'removeMember', { params: { id }, query: {}, body: undefined });
/** The leader raises the active version within a few looks. */
const upgraded = (cluster: Cluster) => cluster.pass(500);

test('one node grows to three, loses the first for good, and what was scheduled is delivered once', async () => {
  const cluster = await Cluster.start(['n1']);
  await cluster.schedule('n1', 'later', '60s');
  await upgraded(cluster);
  await grow(cluster, 'n1', 'n2');
  await grow(cluster, 'n1', 'n3');
  expect(await rolesAt(cluster, 'n1')).toEqual(['n1 voter', 'n2 voter', 'n3 voter']);
  cluster.kill('n1');
  await cluster.until(() => cluster.leader() !== undefined);
  const leader = cluster.someLeader();
  await grow(cluster, leader, 'n4');
  expect(await cluster.answer(remove(cluster, leader, 'n1'))).toEqual({ kind: 'removed' });
  expect(await cluster.answer(remove(cluster, leader, 'n1'))).toEqual({ kind: 'absent' });
  // Every member knows all of them, forwards to the leader, and shows them.
  for (const id of ['n2', 'n3', 'n4']) {
    await cluster.until(() => cluster.node(id).member.status().raft.configuration.voters.length === 3);
    await cluster.pass(200);
    const seen = await cluster.answer(cluster.call(id, 'cluster', nothing));
    expect(seen.members.map((member) => member.id).sort()).toEqual(['n2', 'n3', 'n4']);
    expect(seen.waiting).toBeUndefined();
  }
  await cluster.pass(60_000);
  const received = await cluster.receive('n4', { wait: 1_000 });
  expect(received).toHaveLength(1);
  expect(await cluster.receive('n4', { wait: 100 })).toEqual([]);
  await cluster.stop();
});

test('what can not be done is refused by its code', async () => {
  const cluster = await Cluster.start(['n1']);
  expect(await cluster.refusal(remove(cluster, 'n1', 'n1'))).toMatchObject({ code: 'HF_MEMBERS_VERSION' });
  await upgraded(cluster);
  const { peer, api } = peerOf('n1');
  const other = { id: 'n1', incarnation: 'another', peer, api };
  const call = (body: typeof other) => cluster.call('n1', 'addMember', { params: {}, query: {}, body });
  expect(await cluster.refusal(remove(cluster, 'n1', 'n1'))).toMatchObject({ code: 'HF_MEMBERS_REFUSED' });
  expect(await cluster.refusal(call(other))).toMatchObject({ code: 'HF_MEMBERS_REFUSED' });
  expect(await cluster.refusal(call({ ...other, id: 'n9', peer: 'nowhere' }))).toMatchObject({
    code: 'HF_INVALID_REQUEST',
  });
  const transfer = cluster.call('n1', 'transfer', { params: {}, query: {}, body: {} });
  expect(await cluster.refusal(transfer)).toMatchObject({ code: 'HF_MEMBERS_REFUSED' });
  // One that never comes: nothing else can be changed while it is not a majority's knowledge, and it can be taken back.
  expect(await cluster.answer(call({ ...other, id: 'n9' }))).toEqual({ kind: 'added', role: 'learner' });
  expect(await rolesAt(cluster, 'n1')).toEqual(['n1 voter', 'n9 learner']);
  expect(await cluster.answer(remove(cluster, 'n1', 'n9'))).toEqual({ kind: 'removed' });
  await cluster.stop();
});

test('a change that may still be taken back is not said to be done', async () => {
  const cluster = await Cluster.start();
  await upgraded(cluster);
  const leader = cluster.someLeader();
  const [one = '', other = ''] = ['n1', 'n2', 'n3'].filter((id) => id !== leader);
  cluster.kill(one);
  cluster.kill(other);
  const first = cluster.refusal(remove(cluster, leader, one));
  await cluster.until(() => cluster.node(leader).member.status().raft.configuration.voters.length === 2);
  expect(await cluster.refusal(remove(cluster, leader, one))).toMatchObject({ code: 'HF_MEMBERS_BUSY' });
  expect(await first).toMatchObject({ code: 'HF_OUTCOME_UNKNOWN' });
  await cluster.stop();
});

test('leadership is handed over when somebody asks for it', async () => {
  const cluster = await Cluster.start();
  const leader = cluster.someLeader();
  await upgraded(cluster);
  const started = await cluster.answer(cluster.call(leader, 'transfer', { params: {}, query: {}, body: {} }));
  // Without a silence the other may lead already: nothing is answered from memory from here on.
  const { raft, serving } = cluster.node(leader).member.status();
  expect(raft).toMatchObject({ role: 'leader', transferringTo: started.to });
  expect(serving).toBe(false);
  await cluster.until(() => cluster.leader() === started.to);
  await cluster.stop();
});

test('a member is removed as lost only with its own directory, and only while nobody hears it', async () => {
  const cluster = await Cluster.start(['n1', 'n2', 'n3']);
  await upgraded(cluster);
  const leader = cluster.someLeader();
  const lost = cluster.someFollower();
  const { members } = await cluster.answer(cluster.call(leader, 'members', nothing));
  const incarnationOf = (id: string) => members.find((member) => member.id === id)?.incarnation ?? '';
  const removeLost = (id: string, incarnation: string) =>
    cluster.call(leader, 'removeMember', { params: { id }, query: { lost: incarnation }, body: undefined });
  const refused = async (id: string, incarnation: string) => (await cluster.refusal(removeLost(id, incarnation))).code;

  expect(await refused(lost, incarnationOf(lost))).toBe('HF_MEMBERS_REFUSED');
  expect(await refused(leader, incarnationOf(leader))).toBe('HF_MEMBERS_REFUSED');
  cluster.kill(lost);
  await cluster.pass(2_000);
  expect(await refused(lost, 'another')).toBe('HF_MEMBERS_REFUSED');
  expect(await rolesAt(cluster, leader)).toHaveLength(3);
  expect(await cluster.answer(removeLost(lost, incarnationOf(lost)))).toEqual({ kind: 'removed' });
  expect(await cluster.answer(removeLost(lost, incarnationOf(lost)))).toEqual({ kind: 'absent' });
  await cluster.stop();
});

test('a member is removed by its directory, which every node names: another one of its name stays', async () => {
  const cluster = await Cluster.start(['n1', 'n2', 'n3']);
  await upgraded(cluster);
  const leader = cluster.someLeader();
  const { incarnation } = await cluster.answer(cluster.call(cluster.someFollower(), 'cluster', nothing));
  const { members } = await cluster.answer(cluster.call(leader, 'members', nothing));
  const found = members.find((member) => member.incarnation === incarnation);
  expect(found?.id).toBe(cluster.someFollower());
  const removeBy = (query: { readonly incarnation: string; readonly lost?: string }) =>
    cluster.call(leader, 'removeMember', { params: { id: found?.id ?? '' }, query, body: undefined });
  for (const query of [{ incarnation: 'another' }, { incarnation: 'another', lost: incarnation }])
    expect((await cluster.refusal(removeBy(query))).code).toBe('HF_MEMBERS_REFUSED');
  expect(await rolesAt(cluster, leader)).toHaveLength(3);
  // It need not be away.
  expect(await cluster.answer(removeBy({ incarnation }))).toEqual({ kind: 'removed' });
  await cluster.stop();
});
