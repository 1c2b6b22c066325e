// A directory that takes the place of another one under the same name is another member: it has none of the other's promises.
import { expect, test } from 'vitest';
import { type ConfigMember, MemoryLog } from '../src/index.ts';
import { bytes, type Member, World } from './world.ts';

const described = ({ id, log }: Member): ConfigMember => ({
  id,
  incarnation: log.identity.incarnation,
  address: `where ${id} is`,
});

async function applied(world: World, promise: Promise<{ readonly kind: string }>): Promise<void> {
  let kind: string | undefined;
  void promise.then((outcome) => (kind = outcome.kind));
  await world.clock.until(() => kind !== undefined);
  expect(kind).toBe('applied');
}

/** The empty directory is a learner: told of by the leader, and without an entry yet. */
async function replace(world: World, leader: Member, old: Member, onGone: () => void): Promise<Member> {
  world.network.kill(old.id);
  await old.node.stop();
  await applied(world, leader.node.changeMembership({ kind: 'remove', id: old.id }));
  onGone();
  const fresh = world.member(old.id, { founders: [] });
  await fresh.node.start();
  await applied(world, leader.node.changeMembership({ kind: 'addLearner', member: described(fresh) }));
  await world.clock.until(() => !fresh.node.status().isWaiting);
  return fresh;
}

test('new directories give no votes under the names of old voters, to one whose log knows only those', async () => {
  const world = new World(['a', 'b', 'c', 'd', 'e']);
  const { clock, network } = world;
  const all = await world.started();
  const leader = await world.leader(all);
  const [near, lagging, fourth, fifth] = all.filter((member) => member !== leader);
  if (near === undefined || lagging === undefined || fourth === undefined || fifth === undefined)
    throw new Error('five were started');
  await applied(world, leader.node.propose(bytes('before')));
  await clock.until(() => all.every(({ machine }) => machine.notes.length === 1));

  // What carries entries is slow: they have not come yet where heartbeats and words about members have.
  const slow = new Set([lagging.id]);
  network.rewrite = (message) =>
    message.kind === 'appendRequest' && slow.has(message.to) ? { ...message, to: 'nobody' } : message;
  const empty = [
    await replace(world, leader, fifth, () => slow.add(fifth.id)),
    await replace(world, leader, fourth, () => slow.add(fourth.id)),
  ];
  await applied(world, leader.node.propose(bytes('acknowledged')));
  await clock.until(
    () => lagging.node.status().members.get(fourth.id)?.incarnation === empty[1]?.log.identity.incarnation,
  );
  expect(lagging.node.status().configuration.voters, 'its log still says').toHaveLength(5);
  for (const { id } of empty) network.connect(lagging.id, id);
  for (const one of [leader, near]) {
    for (const other of [lagging, ...empty]) {
      network.cut.add(`${one.id}>${other.id}`);
      network.cut.add(`${other.id}>${one.id}`);
    }
  }
  slow.clear();
  await clock.pass(5_000);
  expect(lagging.node.status().role).not.toBe('leader');
  expect(lagging.node.status().refusals.get('notCounted')).toBeGreaterThan(0);

  network.cut.clear();
  for (const one of [leader, near]) for (const other of [lagging, ...empty]) network.connect(one.id, other.id);
  await clock.until(() => [lagging, ...empty].every(({ machine }) => machine.notes.includes('acknowledged')));
  for (const member of [leader, near, lagging, ...empty]) expect(member.fatal()).toBeUndefined();
});

test('a node that is taken in while it stops does not go on', async () => {
  const world = new World(['a']);
  const { clock, network } = world;
  const [a] = await world.started();
  if (a === undefined) throw new Error('one was started');
  await world.leader([a]);
  let goOn = (): void => undefined;
  const writing = new Promise<void>((resolve) => (goOn = resolve));
  let isWriting = false;
  class SlowLog extends MemoryLog {
    override async writeFounding(founding: Parameters<MemoryLog['writeFounding']>[0]): Promise<void> {
      isWriting = true;
      await writing;
      await super.writeFounding(founding);
    }
  }
  const log = new SlowLog({ id: 'b', members: [], random: world.random });
  const b = world.member('b', { founders: [], log });
  await b.node.start();
  await applied(world, a.node.changeMembership({ kind: 'addLearner', member: described(b) }));
  await clock.until(() => isWriting);
  network.kill('a');
  const stopped = [b.node.stop(), a.node.stop()];
  await clock.pass(2_000);
  goOn();
  await Promise.all(stopped);
  let timers = 0;
  const after = clock.after.bind(clock);
  clock.after = (delayMs, callback) => {
    timers += 1;
    return after(delayMs, callback);
  };
  await clock.pass(500);
  expect(timers).toBe(0);
});
