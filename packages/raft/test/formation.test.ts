import { expect, test } from 'vitest';
import { MemoryLog } from '../src/index.ts';
import { type Member, World } from './world.ts';

const ids = ['a', 'b', 'c'];
const isFounded = ({ log }: Member): boolean => log.identity.founding?.confirmed === true;
const clusterOf = ({ log }: Member): string | undefined => log.identity.founding?.record.clusterId;

test('all members confirm one record that names every directory', async () => {
  const world = new World(ids);
  const members = await world.started();
  await world.clock.until(() => members.every(isFounded));
  expect(new Set(members.map(clusterOf)).size).toBe(1);
  const incarnations = Object.fromEntries(members.map(({ id, log }) => [id, log.identity.incarnation]));
  for (const { log } of members) expect(log.identity.founding?.record.incarnations).toEqual(incarnations);
});

test('nobody campaigns, votes or leads before every member has been there', async () => {
  const world = new World(ids);
  const members = await world.started(['a', 'b']);
  await world.clock.pass(5_000);
  expect(members.some(isFounded)).toBe(false);
  for (const { node, log } of members) {
    expect(node.status()).toMatchObject({ role: 'follower', term: 0 });
    expect(log.hardState.term).toBe(0);
  }
  const last = world.member('c');
  await last.node.start();
  await world.leader([...members, last]);
});

test('formation ends although messages are lost, in any order of starts', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const world = new World(ids, seed);
    const cut = (): void => {
      world.network.cut.clear();
      for (const from of ids) for (const to of ids) if (world.random() < 0.4) world.network.cut.add(`${from}>${to}`);
    };
    cut();
    const members: Member[] = [];
    for (const id of [...ids].sort(() => world.random() - 0.5)) {
      const member = world.member(id);
      await member.node.start();
      members.push(member);
      await world.clock.pass(Math.floor(world.random() * 200));
      cut();
    }
    const changing = (): boolean => {
      if (world.random() < 0.02) cut();
      return members.every(isFounded);
    };
    await world.clock.until(changing, 60_000);
    expect(new Set(members.map(clusterOf)).size, `seed ${seed}`).toBe(1);
    world.network.cut.clear();
    await world.leader(members);
  }
});

test.each(ids)('a directory of %s that is wiped before all are agreed is founded anew', async (wiped) => {
  const world = new World(ids);
  // c hears everything and is heard by nobody: the others wait for it.
  world.network.cut.add('c>a').add('c>b');
  const members = await world.started();
  await world.clock.pass(500);
  expect(members.some(isFounded)).toBe(false);
  world.network.kill(wiped);
  const again = world.member(wiped);
  await again.node.start();
  world.network.cut.clear();
  const all = members.map((member) => (member.id === wiped ? again : member));
  await world.clock.until(() => all.every(isFounded));
  expect(new Set(all.map(clusterOf)).size).toBe(1);
  expect(all[0]?.log.identity.founding?.record.incarnations[wiped]).toBe(again.log.identity.incarnation);
  await world.leader(all);
});

test('a member that starts again while the others are agreed takes their word', async () => {
  const world = new World(ids);
  // b confirms nothing, since it does not hear c; the two others do.
  world.network.cut.add('c>b');
  const members = await world.started();
  const [a, b, c] = members;
  if (a === undefined || b === undefined || c === undefined) throw new Error('three were started');
  await world.clock.until(() => isFounded(c) && isFounded(a));
  world.network.kill('b');
  const again = world.member('b', { log: b.log });
  await again.node.start();
  await world.clock.until(() => isFounded(again));
  expect(clusterOf(again)).toBe(clusterOf(a));
});

test('a wiped member of a founded cluster is told so and stops, and the others go on', async () => {
  const world = new World(ids);
  const members = await world.started();
  const leader = await world.leader(members);
  const victim = members.find((member) => member !== leader);
  if (victim === undefined) throw new Error('three were started');
  world.network.kill(victim.id);
  const wiped = world.member(victim.id);
  await wiped.node.start();
  await world.clock.until(() => wiped.fatal() !== undefined);
  expect(wiped.fatal()).toMatchObject({ code: 'HF_WIPED_MEMBER' });
  expect(leader.node.status().refusals.get('refusedPeer')).toBeGreaterThan(0);
  await world.clock.pass(2_000);
  expect(leader.node.status().role).toBe('leader');
  expect(members.filter((member) => member !== victim).every((member) => member.fatal() === undefined)).toBe(true);
});

test('a directory of another cluster does not take the others down', async () => {
  const [ours, theirs] = [new World(ids, 1), new World(ids, 2)];
  const members = await ours.started();
  await ours.leader(members);
  const strangers = await theirs.started();
  await theirs.leader(strangers);
  const stranger = strangers.find(({ id }) => id === 'c');
  if (stranger === undefined) throw new Error('three were started');
  ours.network.kill('c');
  const mixed = ours.member('c', { log: stranger.log, machine: stranger.machine });
  await mixed.node.start();
  await ours.clock.until(() => mixed.fatal() !== undefined);
  expect(mixed.fatal()).toMatchObject({ code: 'HF_WRONG_CLUSTER' });
  await ours.clock.pass(1_000);
  expect(members.filter(({ id }) => id !== 'c').every((member) => member.fatal() === undefined)).toBe(true);
});

test('a member whose log was cut at its end is told by the leader, and stops', async () => {
  const world = new World(ids);
  const members = await world.started();
  const leader = await world.leader(members);
  const victim = members.find((member) => member !== leader);
  if (victim === undefined) throw new Error('three were started');
  await world.clock.until(() => victim.log.lastIndex === 1 && leader.node.status().commit === 1);
  await world.clock.pass(100);
  world.network.kill(victim.id);
  // The same directory, as it was before it held anything.
  const old = new MemoryLog({ id: victim.id, members: ids, random: () => 0 });
  Object.defineProperty(old, 'identity', { value: victim.log.identity });
  const cut = world.member(victim.id, { log: old });
  await cut.node.start();
  await world.clock.until(() => cut.fatal() !== undefined);
  expect(cut.fatal()).toMatchObject({ code: 'HF_LOG_CUT' });
});

test('members that were configured differently say so instead of waiting for ever', async () => {
  const world = new World(ids);
  const a = world.member('a');
  await a.node.start();
  const other = new World(['a', 'b', 'z']);
  const log = new MemoryLog({ id: 'b', members: ['a', 'b', 'z'], random: other.random });
  expect(() => world.member('b', { log })).toThrow(expect.objectContaining({ code: 'HF_WRONG_CLUSTER' }));
});

test('a refusal of another process does not stop this one, and is counted', async () => {
  const world = new World(ids);
  const members = await world.started();
  await world.leader(members);
  const [, b] = members;
  if (b === undefined) throw new Error('three were started');
  const says = (bootId: string | undefined, incarnation: string) =>
    Buffer.from(JSON.stringify({ kind: 'refusal', incarnation, bootId, code: 'HF_LOG_CUT', detail: 'cut' }));
  const mouth = world.network.transport('a');
  mouth.sendControl('b', says('another', b.log.identity.incarnation));
  mouth.sendControl('b', says(undefined, 'another'));
  await world.clock.pass(10);
  expect(b.fatal()).toBeUndefined();
  expect(b.node.status().refusals.get('refusalOfAnother')).toBe(2);
  mouth.sendControl('b', says(undefined, b.log.identity.incarnation));
  await world.clock.pass(10);
  expect(b.fatal()).toMatchObject({ code: 'HF_LOG_CUT' });
});

test('a directory that was not founded and asks is refused, although its handshake was before the founding', async () => {
  const world = new World(ids);
  const [a, , c] = await world.started();
  if (a === undefined || c === undefined) throw new Error('three were started');
  await world.clock.until(() => isFounded(a) && isFounded(c));
  const told: unknown[] = [];
  world.network.onControl = (to, text) => told.push([to, JSON.parse(text)]);
  const asks = { kind: 'formation', incarnation: 'another', confirmed: false };
  world.network.transport('c').sendControl('a', Buffer.from(JSON.stringify(asks)));
  await world.clock.pass(10);
  const refusal = { kind: 'refusal', incarnation: 'another', code: 'HF_WIPED_MEMBER' };
  expect(told).toContainEqual(['c', expect.objectContaining(refusal)]);
  expect(c.fatal(), 'it is another directory').toBeUndefined();
});
