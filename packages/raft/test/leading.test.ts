import { expect, test } from 'vitest';
import type { Outcome, ReadOutcome } from '../src/index.ts';
import { bytes, type Member, SlowLog, startedOnSlowDisks, World } from './world.ts';

const ids = ['a', 'b', 'c'];

async function cluster() {
  const world = new World(ids);
  const members = await world.started();
  const leader = await world.leader(members);
  const rest = members.filter((member) => member !== leader);
  return { world, members, leader, rest };
}

async function applied(world: World, by: Member, note: string): Promise<void> {
  let kind: string | undefined;
  void by.node.propose(bytes(note)).then((outcome) => (kind = outcome.kind));
  await world.clock.until(() => kind !== undefined);
  expect(kind).toBe('applied');
}

/** Kinds of the messages that arrive from now on. */
function arrivals({ network }: World): readonly string[] {
  const kinds: string[] = [];
  network.rewrite = (message) => {
    kinds.push(message.kind);
    return message;
  };
  return kinds;
}

function reading(member: Member) {
  const read: { outcome?: ReadOutcome; notes?: readonly string[] } = {};
  const ask = async (): Promise<void> => {
    read.outcome = await member.node.readIndex();
    read.notes = [...member.machine.notes];
  };
  void ask();
  return read;
}

test('a read on any member sees what was acknowledged before it was asked for', async () => {
  const { world, members, leader } = await cluster();
  for (let i = 0; i < 20; i++) {
    await applied(world, leader, `note ${i}`);
    const reads = members.map(reading);
    await world.clock.until(() => reads.every(({ outcome }) => outcome !== undefined));
    for (const { outcome, notes } of reads) {
      expect(outcome?.kind).toBe('ready');
      expect(notes).toContain(`note ${i}`);
    }
  }
  expect(members.map(({ log }) => log.lastIndex)).toEqual([21, 21, 21]);
});

test('a leader that hears no majority answers no read, and says so in bounded time', async () => {
  const { world, leader, rest } = await cluster();
  for (const { id } of rest) {
    world.network.cut.add(`${leader.id}>${id}`);
    world.network.cut.add(`${id}>${leader.id}`);
  }
  const askedAtMs = world.clock.monotonicMs();
  const read = reading(leader);
  await world.clock.until(() => read.outcome !== undefined);
  expect(read.outcome).toEqual({ kind: 'failed' });
  expect(world.clock.monotonicMs() - askedAtMs).toBeLessThanOrEqual(1_300);
});

test('a leader hands over to whom it is told, within a few round trips, and nothing proposed is lost', async () => {
  const { world, members, leader, rest } = await cluster();
  const [target] = rest;
  if (target === undefined) throw new Error('there are three');
  await applied(world, leader, 'before');
  const askedAtMs = world.clock.monotonicMs();
  expect(leader.node.transferLeadership(target.id)).toEqual({ kind: 'started', to: target.id });
  expect(leader.node.transferLeadership(target.id)).toEqual({ kind: 'refused', reason: 'transferring' });
  await world.clock.until(() => target.events.at(-1)?.startsWith('leader') === true);
  expect(world.clock.monotonicMs() - askedAtMs).toBeLessThan(60);
  await applied(world, target, 'after');
  await world.clock.until(() => members.every(({ machine }) => machine.notes.join() === 'before,after'));
  expect(target.node.transferLeadership('nobody')).toEqual({ kind: 'refused', reason: 'noTarget' });
  expect(leader.node.transferLeadership(undefined)).toEqual({ kind: 'refused', reason: 'notLeader' });
});

test('a leader that stops names its successor: the others are without one for no election timeout', async () => {
  const { world, leader, rest } = await cluster();
  await applied(world, leader, 'before');
  const askedAtMs = world.clock.monotonicMs();
  let stopped = false;
  void leader.node.stop().then(() => (stopped = true));
  const next = await world.leader(rest);
  expect(world.clock.monotonicMs() - askedAtMs).toBeLessThan(60);
  await applied(world, next, 'after');
  await world.clock.until(() => stopped);
  expect(await leader.node.readIndex()).toEqual({ kind: 'failed' });
});

test('a second stop does not cut off the hand-over of the first, and waits for it', async () => {
  const { world, leader, rest } = await cluster();
  await applied(world, leader, 'before');
  const arrived = arrivals(world);
  const stops = [leader.node.stop(), leader.node.stop()];
  let stopped = 0;
  for (const stop of stops) void stop.then(() => stopped++);
  await world.leader(rest);
  expect(arrived).toContain('timeoutNow');
  await world.clock.until(() => stopped === 2);
});

test('a leader that stops while it hands over waits for that, too', async () => {
  const { world, leader, rest } = await cluster();
  const [target] = rest;
  if (target === undefined) throw new Error('there are three');
  await applied(world, leader, 'before');
  const arrived = arrivals(world);
  expect(leader.node.transferLeadership(target.id).kind).toBe('started');
  let stopped = false;
  void leader.node.stop().then(() => (stopped = true));
  expect(await world.leader(rest)).toBe(target);
  expect(arrived).toContain('timeoutNow');
  await world.clock.until(() => stopped);
});

test('a leader whose owner can do nothing with it steps down, and another leads within a few round trips', async () => {
  const { world, members, leader, rest } = await cluster();
  await applied(world, leader, 'before');
  const { term } = leader.node.status();
  const outcome = leader.node.propose(bytes('under way'));
  const askedAtMs = world.clock.monotonicMs();
  leader.node.stepDown();
  expect(leader.node.status().role).toBe('leader');
  const next = await world.leader(rest);
  expect(world.clock.monotonicMs() - askedAtMs).toBeLessThan(60);
  expect(leader.events).toEqual([`leader ${term}`, `lost ${term}`]);
  expect(await outcome).toEqual({ kind: 'notApplied', reason: 'notLeader' });
  await applied(world, next, 'after');
  await world.clock.until(() => members.every(({ machine }) => machine.notes.join() === 'before,after'));
  leader.node.stepDown();
  expect(next.node.status().role).toBe('leader');
});

test('a leader whose disk hangs gives way also when the write that hangs holds no entries', async () => {
  const world = new World(ids);
  const { members, logOf } = await startedOnSlowDisks(world);
  const leader = await world.leader(members);
  const log = logOf(leader);
  await applied(world, leader, 'before');
  log.writeMs = Number.POSITIVE_INFINITY; // from the effects of that on
  await world.clock.pass(50);
  let outcome: Outcome<number> | undefined;
  void leader.node.propose(bytes('waits for the disk')).then((settled) => (outcome = settled));
  const next = await world.leader(members.filter((member) => member !== leader));
  await world.clock.until(() => outcome !== undefined);
  expect(outcome).toEqual({ kind: 'notApplied', reason: 'notLeader' });
  await applied(world, next, 'after');
});

test('a member on its own leads, and answers, however slow its disk is', async () => {
  const world = new World(['only']);
  const log = new SlowLog(world, 'only');
  log.writeMs = 3_000;
  const member = world.member('only', { log });
  await member.node.start();
  await world.leader([member]);
  await applied(world, member, 'note');
});

test.each([300, 700, 1_500])(
  'members whose disks take %i ms for a write elect a leader, and another one when it dies',
  async (writeMs) => {
    const world = new World(ids);
    const members = ids.map((id) => {
      const log = new SlowLog(world, id);
      log.writeMs = writeMs;
      return world.member(id, { log });
    });
    for (const { node } of members) await node.start();
    const leader = await world.leader(members);
    await applied(world, leader, 'before');
    world.network.kill(leader.id);
    const next = await world.leader(members.filter((member) => member !== leader));
    await applied(world, next, 'after');
  },
);
