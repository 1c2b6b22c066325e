import { expect, test } from 'vitest';
import type { ConfigMember } from '../src/index.ts';
import { bytes, type Member, World } from './world.ts';

const described = ({ id, log }: Member): ConfigMember => ({
  id,
  incarnation: log.identity.incarnation,
  address: `where ${id} is`,
});
type Given = Parameters<World['member']>[1];
const votersOf = ({ node }: Member): string[] => node.status().configuration.voters.map(({ id }) => id);

async function settled<T>(world: World, promise: Promise<T>): Promise<T> {
  let outcome: { readonly value: T } | undefined;
  void promise.then((value) => (outcome = { value }));
  await world.clock.until(() => outcome !== undefined);
  if (outcome === undefined) throw new Error('it never settled');
  return outcome.value;
}

async function write(world: World, leader: Member, text: string): Promise<void> {
  expect(await settled(world, leader.node.propose(bytes(text)))).toMatchObject({ kind: 'applied' });
}

/** Starts a node that waits, adds it, and waits until it has a vote. */
async function grown(world: World, leader: Member, id: string, given: Given = {}): Promise<Member> {
  const member = world.member(id, { founders: [], ...given });
  await member.node.start();
  expect(member.node.status().isWaiting).toBe(true);
  const added = leader.node.changeMembership({ kind: 'addLearner', member: described(member) });
  expect(await settled(world, added)).toMatchObject({ kind: 'applied' });
  await promoted(world, leader, id);
  return member;
}

async function promoted(world: World, leader: Member, id: string): Promise<void> {
  for (;;) {
    const outcome = await settled(world, leader.node.changeMembership({ kind: 'promote', id }));
    if (outcome.kind === 'applied') return;
    expect(outcome).toEqual({ kind: 'refused', reason: 'notCaughtUp' });
    await world.clock.pass(50);
  }
}

const alone = async (): Promise<{ readonly world: World; readonly a: Member }> => {
  const world = new World(['a']);
  const [a] = await world.started();
  if (a === undefined) throw new Error('one was started');
  await world.leader([a]);
  return { world, a };
};

test('a node on its own grows to three, which go on without it', async () => {
  const { world, a } = await alone();
  await write(world, a, 'alone');
  const b = await grown(world, a, 'b');
  const c = await grown(world, a, 'c');
  await write(world, a, 'three');
  expect(votersOf(a)).toEqual(['a', 'b', 'c']);
  for (const { log } of [b, c]) expect(log.identity.founding?.record).toEqual(a.log.identity.founding?.record);
  await world.clock.until(() => b.machine.applied.index === a.machine.applied.index);
  world.network.kill('a');
  const next = await world.leader([b, c]);
  await write(world, next, 'two');
  expect(next.machine.notes).toEqual(['alone', 'three', 'two']);
});

test('a member that was taken in finds the cluster again after a restart', async () => {
  const { world, a } = await alone();
  const b = await grown(world, a, 'b');
  world.network.kill('b');
  await b.node.stop();
  const again = world.member('b', { founders: [], log: b.log, machine: b.machine });
  await again.node.start();
  expect(again.node.status().isWaiting).toBe(false);
  await world.clock.until(() => again.node.status().leader === 'a' || a.node.status().leader === 'b');
});

test('a dead member is replaced by a new one, and stops when it comes back', async () => {
  const { world, a } = await alone();
  const b = await grown(world, a, 'b');
  const c = await grown(world, a, 'c');
  world.network.kill('c');
  await c.node.stop();
  const d = await grown(world, a, 'd');
  const removed = a.node.changeMembership({ kind: 'remove', id: 'c' });
  expect(await settled(world, removed)).toMatchObject({ kind: 'applied' });
  expect(votersOf(a)).toEqual(['a', 'b', 'd']);
  // A request to add it that was on its way for long.
  const late = a.node.changeMembership({ kind: 'addLearner', member: described(c) });
  expect(await settled(world, late)).toEqual({ kind: 'refused', reason: 'removedMember' });
  const back = world.member('c', { founders: [], log: c.log, machine: c.machine });
  await back.node.start();
  await world.clock.until(() => back.fatal() !== undefined);
  expect(back.fatal()).toMatchObject({ code: 'HF_REMOVED_MEMBER' });
  await write(world, a, 'on');
  expect([a, b, d].map((member) => member.fatal())).toEqual([undefined, undefined, undefined]);
});

test('one that was removed is told, though all that named it is compacted', async () => {
  const given = { retention: { retainEntries: 4 } };
  const world = new World(['a']);
  const a = world.member('a', given);
  await a.node.start();
  await world.leader([a]);
  const b = await grown(world, a, 'b', given);
  const c = await grown(world, a, 'c', given);
  const d = await grown(world, a, 'd', given);
  world.network.kill('d');
  await d.node.stop();
  await settled(world, a.node.changeMembership({ kind: 'remove', id: 'd' }));
  const removedAt = a.node.status().configurationIndex;
  for (let i = 0; [a, b, c].some(({ log }) => log.firstIndex <= removedAt); i++) await write(world, a, `note ${i}`);
  const back = world.member('d', { founders: [], log: d.log, machine: d.machine });
  await back.node.start();
  await world.clock.until(() => back.fatal() !== undefined);
  expect(back.fatal()).toMatchObject({ code: 'HF_REMOVED_MEMBER', facts: { index: removedAt } });
  expect([a, b, c].map((member) => member.fatal())).toEqual([undefined, undefined, undefined]);
});

test('one that was removed while it ran is told, and stops', async () => {
  const { world, a } = await alone();
  const b = await grown(world, a, 'b');
  const c = await grown(world, a, 'c');
  await settled(world, a.node.changeMembership({ kind: 'remove', id: 'c' }));
  await world.clock.until(() => c.fatal() !== undefined);
  expect(c.fatal()).toMatchObject({ code: 'HF_REMOVED_MEMBER' });
  expect([a, b].map((member) => member.fatal())).toEqual([undefined, undefined]);
});

test('a wiped member comes back as another incarnation, once the old one is removed', async () => {
  const { world, a } = await alone();
  await grown(world, a, 'b');
  const c = await grown(world, a, 'c');
  world.network.kill('c');
  await c.node.stop();
  const empty = world.member('c', { founders: [] });
  await empty.node.start();
  await world.clock.pass(2_000);
  expect(empty.node.status().isWaiting).toBe(true);
  expect(empty.fatal()).toBeUndefined();
  const add = () => a.node.changeMembership({ kind: 'addLearner', member: described(empty) });
  expect(await settled(world, add())).toEqual({ kind: 'refused', reason: 'alreadyMember' });
  await settled(world, a.node.changeMembership({ kind: 'remove', id: 'c' }));
  await world.clock.pass(50);
  expect(await settled(world, add())).toMatchObject({ kind: 'applied' });
  await promoted(world, a, 'c');
  expect(empty.node.status().isWaiting).toBe(false);
});

test('a leader that removes itself hands over and stops', async () => {
  const { world, a } = await alone();
  const b = await grown(world, a, 'b');
  const c = await grown(world, a, 'c');
  const removed = a.node.changeMembership({ kind: 'remove', id: 'a' });
  expect(await settled(world, removed)).toMatchObject({ kind: 'applied' });
  await world.clock.until(() => a.fatal() !== undefined);
  expect(a.fatal()).toMatchObject({ code: 'HF_REMOVED_MEMBER' });
  const next = await world.leader([b, c]);
  expect(votersOf(next)).toEqual(['b', 'c']);
  await write(world, next, 'on');
});

test('a member that slept while all others were replaced hears of them, and follows', async () => {
  const { world, a } = await alone();
  const b = await grown(world, a, 'b');
  const c = await grown(world, a, 'c');
  world.network.kill('c');
  await c.node.stop();
  const d = await grown(world, a, 'd');
  const e = await grown(world, a, 'e');
  for (const id of ['b', 'a']) await settled(world, a.node.changeMembership({ kind: 'remove', id }));
  await world.clock.until(() => a.fatal() !== undefined);
  for (const { id, node } of [a, b]) {
    world.network.kill(id);
    await node.stop();
  }
  const leader = await world.leader([d, e]);
  const back = world.member('c', { founders: [], log: c.log, machine: c.machine });
  await back.node.start();
  await world.clock.until(() => back.node.status().leader === leader.id);
  await world.clock.until(() => back.machine.applied.index === leader.machine.applied.index);
  expect(votersOf(back)).toEqual(['c', 'd', 'e']);
});

test('nobody changes members who does not lead, and a change that is lost is unknown', async () => {
  const { world, a } = await alone();
  const b = await grown(world, a, 'b');
  const remove = { kind: 'remove', id: 'b' } as const;
  expect(await b.node.changeMembership(remove)).toEqual({ kind: 'refused', reason: 'notLeader' });
  for (const link of ['a>b', 'b>a']) world.network.cut.add(link);
  const c = world.member('c', { founders: [] });
  const lost = a.node.changeMembership({ kind: 'addLearner', member: described(c) });
  expect(await settled(world, lost)).toEqual({ kind: 'unknown' });
});

test('a change, and a hand-over, is refused while some member may not understand it', async () => {
  const { world, a } = await alone();
  a.machine.activeVersion = 1;
  expect(a.node.transferLeadership(undefined)).toEqual({ kind: 'refused', reason: 'oldVersion' });
  const outcome = await settled(world, a.node.changeMembership({ kind: 'remove', id: 'a' }));
  expect(outcome).toEqual({ kind: 'refused', reason: 'oldVersion' });
});

test('a member that slept while another was replaced under its own name hears the new one lead', async () => {
  const { world, a } = await alone();
  const b = await grown(world, a, 'b');
  const c = await grown(world, a, 'c');
  const d = await grown(world, a, 'd');
  const e = await grown(world, a, 'e');
  for (const { id, node } of [b, e]) {
    world.network.kill(id);
    await node.stop();
  }
  await settled(world, a.node.changeMembership({ kind: 'remove', id: 'b' }));
  const empty = world.member('b', { founders: [] });
  await empty.node.start();
  const added = a.node.changeMembership({ kind: 'addLearner', member: described(empty) });
  expect(await settled(world, added)).toMatchObject({ kind: 'applied' });
  await promoted(world, a, 'b');
  expect(a.node.transferLeadership('b')).toMatchObject({ kind: 'started' });
  await world.clock.until(() => [a, c, d].every(({ node }) => node.status().leader === 'b'));
  const back = world.member('e', { founders: [], log: e.log, machine: e.machine });
  await back.node.start();
  await world.clock.pass(500);
  world.network.connect('b', 'e');
  await world.clock.until(() => back.node.status().leader === 'b');
  await world.clock.until(() => back.machine.applied.index === empty.machine.applied.index);
});

test('nobody is told of a change that may still be taken back', async () => {
  const { world, a } = await alone();
  const followers = [await grown(world, a, 'b'), await grown(world, a, 'c')];
  const know = (): boolean[] => followers.map(({ node }) => node.status().members.has('d'));
  // What carries entries is clogged; words about members come through.
  world.network.rewrite = (message) => (message.kind === 'appendRequest' ? { ...message, to: 'nobody' } : message);
  const d = world.member('d', { founders: [] });
  const added = a.node.changeMembership({ kind: 'addLearner', member: described(d) });
  await world.clock.until(() => a.node.status().members.has('d'));
  await world.clock.pass(1_000);
  expect([know(), a.node.status().role]).toEqual([[false, false], 'leader']);
  world.network.rewrite = (message) => message;
  expect(await settled(world, added)).toMatchObject({ kind: 'applied' });
  await world.clock.until(() => know().every((knows) => knows));
});

test('a member that lags is told of the last change that is committed, though the next one is not', async () => {
  const { world, a } = await alone();
  const [b, c] = [await grown(world, a, 'b'), await grown(world, a, 'c')];
  // What carries entries does not reach c; words about members do.
  world.network.rewrite = (message) =>
    message.kind === 'appendRequest' && message.to === 'c' ? { ...message, to: 'nobody' } : message;
  for (const other of ['a', 'b', 'd']) world.network.cut.add(`c>${other}`).add(`${other}>c`);
  await grown(world, a, 'd');
  world.network.kill('b');
  await b.node.stop();
  const e = world.member('e', { founders: [] });
  void a.node.changeMembership({ kind: 'addLearner', member: described(e) });
  await world.clock.until(() => a.node.status().members.has('e'));
  world.network.cut.clear();
  world.network.connect('a', 'c');
  await world.clock.until(() => c.node.status().members.has('d'));
  expect([...c.node.status().members.keys()].sort()).toEqual(['a', 'b', 'c', 'd']);
  expect(c.machine.applied.index).toBeLessThan(a.machine.applied.index);
});

test('who founds hears members only; a founder that has applied nothing hears those who came since', async () => {
  const world = new World(['a', 'b']);
  const heard: string[] = [];
  const transport = world.network.transport.bind(world.network);
  world.network.transport = (id) => {
    const its = transport(id);
    return { ...its, setPeers: (peers, guests) => (heard.push(`${id} ${guests}`), its.setPeers(peers, guests)) };
  };
  const members = ['a', 'b'].map((id) => world.member(id));
  for (const { machine } of members) machine.activeVersion = 1;
  await Promise.all(members.map(({ node }) => node.start()));
  await world.leader(members);
  expect(heard.sort()).toEqual(['a anybody', 'a nobody', 'b anybody', 'b nobody']);
});

test('a node that is taken in while its transport still starts has one ticker, and none when it has stopped', async () => {
  const { world, a } = await alone();
  const { clock, network } = world;
  const transport = network.transport.bind(network);
  network.transport = (id) => {
    const its = transport(id);
    const start: typeof its.start = async (events, hello) => {
      await its.start(events, hello);
      await new Promise<void>((resolve) => void clock.after(1_000, resolve));
    };
    return { ...its, start };
  };
  const b = world.member('b', { founders: [] });
  const started = b.node.start();
  await settled(world, a.node.changeMembership({ kind: 'addLearner', member: described(b) }));
  await clock.until(() => !b.node.status().isWaiting);
  await clock.pass(1_000);
  await started;
  await Promise.all([a, b].map(({ node }) => settled(world, node.stop())));
  await clock.pass(1_000);
  let timers = 0;
  const after = clock.after.bind(clock);
  clock.after = (delayMs, callback) => {
    timers += 1;
    return after(delayMs, callback);
  };
  await clock.pass(100);
  expect(timers).toBe(0);
});
