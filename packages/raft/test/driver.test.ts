import { expect, test } from 'vitest';
import { bytes, World } from './world.ts';

test('three members found a cluster, elect a leader, and apply the same commands in the same order', async () => {
  const world = new World(['a', 'b', 'c']);
  const members = await world.started();
  const leader = await world.leader(members);

  const outcomes = Promise.all(['one', 'two', 'three'].map((note) => leader.node.propose(bytes(note))));
  await world.clock.until(() => members.every(({ machine }) => machine.notes.length === 3));

  const index = leader.machine.applied.index;
  const { term } = leader.node.status();
  expect(await outcomes).toEqual([1, 2, 3].map((result) => ({ kind: 'applied', result, index, term })));
  for (const { machine, log } of members) {
    expect(machine.notes).toEqual(['one', 'two', 'three']);
    expect(machine.headers).toEqual(['', `from ${leader.id}`]);
    expect(log.identity.founding).toEqual(leader.log.identity.founding);
  }
});

test('a cluster of one leads itself', async () => {
  const world = new World(['only']);
  const [only] = await world.started();
  if (only === undefined) throw new Error('nobody started');
  await world.leader([only]);
  const outcome = only.node.propose(bytes('note'));
  await world.clock.until(() => only.machine.notes.length === 1);
  expect(await outcome).toMatchObject({ kind: 'applied', result: 1 });
});

test('when the leader dies, another one leads within a fraction of an election, and nothing acknowledged is lost', async () => {
  const world = new World(['a', 'b', 'c']);
  const members = await world.started();
  const first = await world.leader(members);
  const outcome = first.node.propose(bytes('kept'));
  await world.clock.until(() => first.machine.notes.length === 1);
  expect((await outcome).kind).toBe('applied');

  world.network.kill(first.id);
  const killedAtMs = world.clock.monotonicMs();
  const rest = members.filter((member) => member !== first);
  const second = await world.leader(rest);
  expect(world.clock.monotonicMs() - killedAtMs).toBeLessThan(150);

  const after = second.node.propose(bytes('after'));
  await world.clock.until(() => rest.every(({ machine }) => machine.notes.length === 2));
  expect(await after).toMatchObject({ kind: 'applied', result: 2 });
  expect(second.machine.notes).toEqual(['kept', 'after']);
});
