import { AssertionError } from 'node:assert';
import { expect, test } from 'vitest';
import { MemoryLog, type Outcome } from '../src/index.ts';
import { noteKey } from './notebook.ts';
import { bytes, type Member, SlowLog, startedOnSlowDisks, World } from './world.ts';

const ids = ['a', 'b', 'c'];

/** The outcomes so far, by what was proposed. */
function proposals(member: Member) {
  const outcomes = new Map<string, Outcome<number>>();
  const propose = (...notes: readonly string[]): void => {
    for (const note of notes) void member.node.propose(bytes(note)).then((outcome) => outcomes.set(note, outcome));
  };
  return { outcomes, propose };
}

async function alone() {
  const world = new World(['only']);
  const log = new SlowLog(world, 'only');
  const member = world.member('only', { log });
  await member.node.start();
  await world.leader([member]);
  return { world, log, member, ...proposals(member) };
}

function others(members: readonly Member[], but: Member): readonly Member[] {
  return members.filter((member) => member !== but);
}

test('three members found a cluster, elect a leader, and apply the same commands in the same order', async () => {
  const world = new World(ids);
  const members = await world.started();
  const leader = await world.leader(members);
  const { outcomes, propose } = proposals(leader);
  propose('one', 'two', 'three');
  await world.clock.until(() => members.every(({ machine }) => machine.notes.length === 3));

  const { term } = leader.node.status();
  const { index } = leader.machine.applied;
  expect([...outcomes.values()]).toEqual([1, 2, 3].map((result) => ({ kind: 'applied', result, index, term })));
  for (const { machine, log } of members) {
    expect(machine.notes).toEqual(['one', 'two', 'three']);
    expect(machine.headers).toEqual(['', `from ${leader.id}`]);
    expect(log.identity.founding).toEqual(leader.log.identity.founding);
  }
});

test('when the leader dies, another one leads within a fraction of an election, and nothing acknowledged is lost', async () => {
  const world = new World(ids);
  const members = await world.started();
  const first = await world.leader(members);
  const before = proposals(first);
  before.propose('kept');
  await world.clock.until(() => before.outcomes.get('kept')?.kind === 'applied');

  world.network.kill(first.id);
  const killedAtMs = world.clock.monotonicMs();
  const rest = others(members, first);
  const second = await world.leader(rest);
  expect(world.clock.monotonicMs() - killedAtMs).toBeLessThan(150);

  const after = proposals(second);
  after.propose('after');
  await world.clock.until(() => rest.every(({ machine }) => machine.notes.length === 2));
  expect(after.outcomes.get('after')).toMatchObject({ kind: 'applied', result: 2 });
  expect(second.machine.notes).toEqual(['kept', 'after']);
});

test('proposals that arrive while the disk works become one entry, and one write', async () => {
  const { world, log, outcomes, propose, member } = await alone();
  propose('first');
  await world.clock.step();
  for (let i = 0; i < 100; i++) propose(`gathered ${i}`);
  await world.clock.until(() => outcomes.size === 101);
  const indexes = [...outcomes.values()].map((outcome) => (outcome.kind === 'applied' ? outcome.index : 0));
  expect(indexes).toEqual([2, ...Array.from({ length: 100 }, () => 3)]);
  // The vote for itself, the empty entry of the term, and two groups.
  expect(log.turns.map(({ entries }) => entries.length)).toEqual([0, 1, 1, 1]);
  expect(member.machine.notes).toHaveLength(101);
});

test('effects ride on the next turn with entries; alone they wait 20 ms', async () => {
  const { world, log, outcomes, propose } = await alone();
  await world.clock.pass(50);
  const before = log.turns.length;
  propose('one');
  await world.clock.until(() => outcomes.size === 1);
  propose('two');
  await world.clock.until(() => outcomes.size === 2);
  expect(log.turns.slice(before).map(({ entries, effects }) => [entries.length, effects.length])).toEqual([
    [1, 0],
    [1, 1],
  ]);
  await world.clock.pass(15);
  expect(log.turns.length).toBe(before + 2);
  await world.clock.pass(15);
  expect(log.turns.slice(before + 2).map(({ entries, effects }) => [entries.length, effects.length])).toEqual([[0, 1]]);
  await world.clock.pass(100);
  expect(log.turns.length, 'a member with nothing to write does not write').toBe(before + 3);
});

test('a leader that is cut off loses its office, and what it appended is unknown', async () => {
  const world = new World(ids);
  const members = await world.started();
  const leader = await world.leader(members);
  for (const { id } of others(members, leader)) world.network.cut.add(`${leader.id}>${id}`).add(`${id}>${leader.id}`);
  const { outcomes, propose } = proposals(leader);
  propose('into the void');
  await world.clock.until(() => outcomes.size === 1, 2_000);
  expect(outcomes.get('into the void')).toMatchObject({ kind: 'unknown', index: 2 });
  expect(leader.events.filter((event) => event.startsWith('lost'))).toHaveLength(1);

  propose('too late');
  await world.clock.step();
  expect(outcomes.get('too late')).toEqual({ kind: 'notApplied', reason: 'notLeader' });
});

test('a proposal whose place was taken by another leader was not applied, and that is said', async () => {
  const world = new World(ids);
  const members = await world.started();
  const old = await world.leader(members);
  const rest = others(members, old);
  for (const { id } of rest) world.network.cut.add(`${old.id}>${id}`).add(`${id}>${old.id}`);
  const { outcomes, propose } = proposals(old);
  propose('lost');
  await world.leader(rest);
  world.network.cut.clear();
  await world.clock.until(() => outcomes.size === 1);
  expect(outcomes.get('lost')).toEqual({ kind: 'notApplied', reason: 'overwritten' });
  expect(old.machine.notes).toEqual([]);
});

test('who does not lead, and what is too large, is refused at once and counted', async () => {
  const world = new World(ids);
  const members = await world.started();
  const leader = await world.leader(members);
  const [follower] = others(members, leader);
  expect(await follower?.node.propose(bytes('x'))).toEqual({ kind: 'notApplied', reason: 'notLeader' });
  const tooLarge = await leader.node.propose(Buffer.alloc(4 * 2 ** 20 + 1));
  expect(tooLarge).toEqual({ kind: 'notApplied', reason: 'tooLarge' });
  expect(leader.node.status().refusals.get('maxCommandBytes')).toBe(1);
});

test('more than may wait is refused as overloaded, and the rest is applied', async () => {
  const { world, outcomes, propose, member } = await alone();
  const notes = Array.from({ length: 17_000 }, (_, i) => `${i}`);
  propose(...notes);
  await world.clock.until(() => outcomes.size === notes.length, 60_000);
  const kinds = [...outcomes.values()].map((outcome) =>
    outcome.kind === 'notApplied' ? outcome.reason : outcome.kind,
  );
  expect(kinds.filter((kind) => kind === 'overloaded')).toHaveLength(17_000 - 16_384);
  expect(kinds.filter((kind) => kind === 'applied')).toHaveLength(16_384);
  expect(member.node.status().refusals.get('maxWaitingProposals')).toBe(17_000 - 16_384);
});

test('a stop answers what is appended, refuses what waits, and writes the effects', async () => {
  const { world, log, outcomes, propose, member } = await alone();
  propose('appended');
  await world.clock.step();
  propose('waits');
  const stopped = member.node.stop();
  await world.clock.until(() => outcomes.size === 2);
  await world.clock.pass(20);
  await stopped;
  expect(outcomes.get('appended')).toMatchObject({ kind: 'applied' });
  expect(outcomes.get('waits')).toEqual({ kind: 'notApplied', reason: 'stopping' });
  expect(log.stateRow(noteKey(2))).toBeDefined();
  expect(member.events).toEqual(['leader 1', 'lost 1']);
  expect(await member.node.propose(bytes('x'))).toEqual({ kind: 'notApplied', reason: 'stopping' });
});

test('a leader that stops leaves at once: the others need no election timeout', async () => {
  const world = new World(ids);
  const members = await world.started();
  const leader = await world.leader(members);
  const stoppedAtMs = world.clock.monotonicMs();
  void leader.node.stop();
  await world.leader(others(members, leader));
  expect(world.clock.monotonicMs() - stoppedAtMs).toBeLessThan(250);
});

test('a write that fails ends the member: everyone is answered, and nothing more is sent', async () => {
  const world = new World(ids);
  const { members, logOf } = await startedOnSlowDisks(world);
  const leader = await world.leader(members);
  const log = logOf(leader);
  log.writeMs = 100;
  log.failure = new Error('the disk is gone');
  const { outcomes, propose } = proposals(leader);
  propose('appended');
  await world.clock.step();
  await world.clock.step();
  propose('waits');
  await world.clock.until(() => leader.fatal() !== undefined);
  await world.clock.step();
  // The followers may have it all the same: that is why it is unknown.
  expect(outcomes.get('appended')).toMatchObject({ kind: 'unknown' });
  expect(outcomes.get('waits')).toEqual({ kind: 'notApplied', reason: 'stopping' });
  expect(leader.fatal()?.message).toContain('the disk is gone');
  expect(leader.events.at(-1)).toMatch(/^lost/);
  await world.leader(others(members, leader));
  expect(leader.node.status().commit).toBeLessThanOrEqual(2);
});

test('a disk that can not be read while a stop writes its last does not keep the stop from ending', async () => {
  let failure: Error | undefined;
  class Unreadable extends MemoryLog {
    override entryBytes(index: number): number {
      if (failure !== undefined) throw failure;
      return super.entryBytes(index);
    }
  }
  const world = new World(['a']);
  const log = new Unreadable({ id: 'a', members: ['a'], random: world.random });
  const member = world.member('a', { log, retention: { retainBytes: 1, retainEntries: 1, catchUpBytes: 1 } });
  await member.node.start();
  await world.leader([member]);
  const { outcomes, propose } = proposals(member);
  propose('first');
  await world.clock.until(() => outcomes.has('first'));
  propose('second');
  await world.clock.until(() => outcomes.has('second'));
  failure = new Error('EIO');
  let hasStopped = false;
  void member.node.stop().then(() => (hasStopped = true));
  await world.clock.until(() => hasStopped);
  expect(member.fatal()?.message).toContain('EIO');
});

test('a state machine that throws ends the member before anything of the entry is written', async () => {
  const { world, log, outcomes, propose, member } = await alone();
  propose('fine', 'fail');
  await world.clock.until(() => member.fatal() !== undefined);
  expect(member.fatal()).toMatchObject({ code: 'HF_APPLY_FAILED', facts: { index: 2 } });
  await world.clock.pass(100);
  expect(outcomes.get('fine')).toMatchObject({ kind: 'unknown', index: 2 });
  expect(log.lastIndex).toBe(2);
  expect(log.stateRow(noteKey(2))).toBeUndefined();
});

test('an owner learns of the clocks of the others', async () => {
  const world = new World(ids);
  const members = await world.started();
  const leader = await world.leader(members);
  await world.clock.until(() => leader.node.status().quorumHeardAtMs > 0);
  expect(leader.samples.size).toBe(2);
});

test('a leader waits for followers that can not keep up with applying, and refuses nothing for it', async () => {
  const world = new World(ids);
  const members = await world.started();
  const leader = await world.leader(members);
  await world.clock.pass(200);
  world.network.rewrite = (message) => ('applied' in message ? { ...message, applied: 1 } : message);
  const { outcomes, propose } = proposals(leader);
  propose('before');
  await world.clock.until(() => outcomes.has('before'));
  await world.clock.pass(700);
  propose('held back');
  await world.clock.pass(700);
  expect(outcomes.has('held back')).toBe(false);
  expect(leader.node.status()).toMatchObject({ role: 'leader', waitingProposals: 1 });
  expect(leader.node.status().refusals.get('maxApplyLagMs')).toBe(1);

  world.network.rewrite = (message) => message;
  await world.clock.until(() => outcomes.has('held back'));
  expect(outcomes.get('held back')?.kind).toBe('applied');
});

test.each(Array.from({ length: 12 }, (_, i) => i))(
  'a follower can stop while its leader keeps it writing, at moment %i',
  async (moment) => {
    const world = new World(ids);
    const { members, logOf } = await startedOnSlowDisks(world);
    const leader = await world.leader(members);
    const [follower] = others(members, leader);
    if (follower === undefined) throw new Error('three were started');
    const { propose } = proposals(leader);
    let count = 0;
    let stopped = false;
    await world.clock.until(() => {
      propose(`note ${count++}`);
      return follower.machine.notes.length > 20;
    });
    for (let i = 0; i < moment; i++) {
      propose(`note ${count++}`);
      await world.clock.step();
    }
    const stopping = follower.node.stop().finally(() => {
      stopped = true;
    });
    await world.clock.until(() => {
      propose(`note ${count++}`);
      return stopped;
    }, 500);
    await stopping;
    expect(follower.fatal()).toBeUndefined();
    const { index } = follower.machine.applied;
    expect(logOf(follower).stateRow(noteKey(index))).toBeDefined();
  },
);

const noStamp = new Error('no stamp');
const thrower = (): Uint8Array => {
  throw noStamp;
};

test.each<[string, () => Uint8Array, unknown]>([
  ['an owner that throws', thrower, noStamp],
  ['a stamp of 65,536 bytes', () => new Uint8Array(65_536), expect.any(AssertionError)],
])('%s ends the member, and is reported as a fault', async (_, header, cause) => {
  const world = new World(['only']);
  const member = world.member('only');
  await member.node.start();
  await world.leader([member]);
  world.header = header;
  const { outcomes, propose } = proposals(member);
  propose('never appended');
  await world.clock.until(() => member.fatal() !== undefined);
  await world.clock.step();
  expect(member.fatal()).toMatchObject({ code: 'HF_RAFT_FAULT', cause });
  expect(outcomes.get('never appended')).toEqual({ kind: 'notApplied', reason: 'stopping' });
});

test('a stamp of 65,535 bytes is one', async () => {
  const { world, member, outcomes, propose } = await alone();
  world.header = () => new Uint8Array(65_535).fill(0x78);
  propose('stamped');
  await world.clock.until(() => outcomes.has('stamped'));
  expect(outcomes.get('stamped')).toMatchObject({ kind: 'applied' });
  expect(member.machine.headers.at(-1)).toHaveLength(65_535);
});

test('a member that is stopped while it starts does not take part', async () => {
  const world = new World(['only']);
  const member = world.member('only');
  const started = member.node.start();
  await member.node.stop();
  await started;
  await world.clock.pass(5_000);
  expect(member.log.identity.founding).toBeUndefined();
  expect(member.events).toEqual([]);
});

test('a member whose disk never answers is gone for the others when it stops', async () => {
  const world = new World(ids);
  const { members, logOf } = await startedOnSlowDisks(world);
  const leader = await world.leader(members);
  const log = logOf(leader);
  log.writeMs = Number.POSITIVE_INFINITY;
  proposals(leader).propose('never written');
  await world.clock.pass(50);
  void leader.node.stop();
  await world.clock.until(() => !world.network.isThere(leader.id), 1_000);
  await world.leader(others(members, leader));
});
