// A member that was away while the log was compacted past it gets the state instead, and the leader goes on meanwhile.
import { expect, test } from 'vitest';
import type { Outcome } from '../src/index.ts';
import { bytes, type Member, World } from './world.ts';

const ids = ['a', 'b', 'c'];
/** Small enough that most of a hundred notes are compacted; and their state is several pieces. */
const retention = { retainBytes: 100_000, retainEntries: 10, catchUpBytes: 200_000 };
const padding = 'x'.repeat(10_000);

function started(world: World, mayReceiveState = () => true): Promise<Member[]> {
  return Promise.all(
    ids.map(async (id) => {
      const member = world.member(id, { retention, mayReceiveState });
      await member.node.start();
      return member;
    }),
  );
}

async function write(world: World, leader: Member, from: number, count: number): Promise<void> {
  for (let note = from; note < from + count; note++) {
    let outcome: Outcome<number> | undefined;
    void leader.node.propose(bytes(`note ${note} ${padding}`)).then((it) => (outcome = it));
    await world.clock.until(() => outcome !== undefined);
    expect(outcome).toMatchObject({ kind: 'applied' });
  }
}

/** A leader, and a follower that is cut off while the others write `count` notes. */
async function away(count: number, seed = 1, mayReceiveState = () => true) {
  const world = new World(ids, seed);
  const members = await started(world, mayReceiveState);
  const leader = await world.leader(members);
  await write(world, leader, 0, 5);
  const lost = members.find((member) => member !== leader);
  if (lost === undefined) throw new Error('there are three');
  const cut = (): void => {
    for (const other of ids) world.network.cut.add(`${lost.id}>${other}`).add(`${other}>${lost.id}`);
  };
  const heal = (): void => {
    world.network.cut.clear();
  };
  cut();
  await write(world, leader, 5, count);
  const { firstIndex } = leader.node.status();
  expect(firstIndex).toBeGreaterThan(lost.log.lastIndex + 1);
  return { world, members, leader, lost, cut, heal };
}

const caughtUp = (members: readonly Member[], notes: number) => (): boolean =>
  members.every(({ machine }) => machine.notes.length === notes);

test('a member without room for a second state stays behind until it has some', async () => {
  let hasRoom = false;
  const { world, members, lost, heal } = await away(100, 1, () => hasRoom);
  heal();
  await world.clock.pass(5_000);
  expect(lost.node.status()).toMatchObject({ snapshots: { receiving: undefined, installed: 0 } });
  expect(lost.node.status().refusals.get('noRoom')).toBeGreaterThan(1);
  hasRoom = true;
  await world.clock.until(caughtUp(members, 105));
  expect(lost.node.status().snapshots.installed).toBe(1);
});

test('a member whose room ends while a state comes in gives it up, and begins anew when it has some', async () => {
  let hasRoom = true;
  const { world, members, lost, heal } = await away(100, 1, () => hasRoom);
  const snapshots = () => lost.node.status().snapshots;
  heal();
  await world.clock.until(() => snapshots().receivedBytes > 0, 5_000);
  expect(snapshots().receiving).toBeDefined();
  hasRoom = false;
  await world.clock.pass(5_000);
  expect(snapshots(), 'nothing comes in, and what had come is swept').toMatchObject({ installed: 0, sweeping: 0 });
  expect(snapshots().receiving).toBeUndefined();
  hasRoom = true;
  await world.clock.until(caughtUp(members, 105));
  expect(snapshots().installed).toBe(1);
  expect(lost.fatal()).toBeUndefined();
});

test('the log is compacted in steps, everywhere, and goes on', async () => {
  const world = new World(ids);
  const members = await started(world);
  const leader = await world.leader(members);
  await write(world, leader, 0, 120);
  await world.clock.pass(200);
  for (const { node, log } of members) {
    const { firstIndex, compactedEntries, logBytes } = node.status();
    expect(firstIndex).toBeGreaterThan(80);
    expect(compactedEntries).toBe(firstIndex - 1);
    expect(logBytes).toBeLessThanOrEqual(retention.retainBytes);
    expect(log.term(firstIndex - 1)).toBeDefined();
  }
});

test('nothing is compacted before all members understand it', async () => {
  const world = new World(['only']);
  const member = world.member('only', { retention });
  member.machine.activeVersion = 1;
  await member.node.start();
  await write(world, await world.leader([member]), 0, 50);
  expect(member.node.status().firstIndex).toBe(1);
});

test('a member that was away gets the state, then the entries behind it', async () => {
  const { world, members, leader, lost, heal } = await away(100);
  expect(lost.machine.notes.length).toBeLessThan(10);
  heal();
  await world.clock.until(() => lost.node.status().snapshots.receiving !== undefined, 5_000);
  await write(world, leader, 105, 20);
  await world.clock.until(caughtUp(members, 125));
  expect(lost.machine.notes).toEqual(leader.machine.notes);
  expect(lost.node.status().snapshots.installed).toBe(1);
  expect(lost.fatal()).toBeUndefined();
  expect(lost.log.generation).toBe(2);
  await write(world, leader, 125, 5);
  await world.clock.until(caughtUp(members, 130));
  await world.clock.until(() => lost.log.unswept === 0);
  expect(lost.node.status().snapshots).toMatchObject({ installed: 1, receiving: undefined, sweeping: 0 });
});

test('nothing of a state is swept before the state machine has gone over to the one that follows it', async () => {
  const { world, members, lost, heal } = await away(60);
  const adopt = lost.machine.adopt.bind(lost.machine);
  let goOver: (() => void) | undefined;
  lost.machine.adopt = async (generation) => {
    await new Promise<void>((resolve) => (goOver = resolve));
    return adopt(generation);
  };
  heal();
  await world.clock.until(() => goOver !== undefined, 20_000);
  expect(lost.log.generation, 'the flip is on the disk').toBe(2);
  await world.clock.pass(500);
  expect(lost.log.unswept, 'whoever reads has the rows of before').toBe(1);
  goOver?.();
  await world.clock.until(caughtUp(members, 65), 20_000);
  await world.clock.until(() => lost.log.unswept === 0);
});

test('an export is closed when whoever asked for it is done', async () => {
  const { world, members, leader, heal } = await away(60);
  heal();
  await world.clock.until(caughtUp(members, 65), 20_000);
  await world.clock.pass(500);
  expect(members.map(({ machine }) => machine.exports)).toEqual([0, 0, 0]);
  expect(leader.node.status().snapshots.sending).toBeUndefined();
});

test('an export that nobody asks for any more is closed after a minute', async () => {
  const { world, leader, lost, cut, heal } = await away(60);
  heal();
  await world.clock.until(() => lost.node.status().snapshots.receiving !== undefined, 5_000);
  cut();
  await world.clock.pass(50_000);
  expect(leader.machine.exports).toBe(1);
  await world.clock.pass(15_000);
  expect(leader.machine.exports).toBe(0);
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])('a transfer that is cut off at any moment goes on: seed %i', async (seed) => {
  const { world, members, leader, lost, cut, heal } = await away(80, seed);
  let written = 85;
  for (let round = 0; round < 4; round++) {
    heal();
    await world.clock.pass(world.random() * 700);
    cut();
    await write(world, leader, written, 3);
    written += 3;
    await world.clock.pass(world.random() * 700);
  }
  heal();
  await world.clock.until(caughtUp(members, written), 20_000);
  expect(lost.machine.notes).toEqual(leader.machine.notes);
  expect(members.map((member) => member.fatal())).toEqual([undefined, undefined, undefined]);
});

test('a leader that dies in the middle of a transfer: the next one offers its own state', async () => {
  const { world, members, leader, lost, heal } = await away(80);
  heal();
  await world.clock.until(() => lost.node.status().snapshots.receiving !== undefined, 5_000);
  world.network.kill(leader.id);
  const rest = members.filter((member) => member !== leader);
  await world.clock.until(caughtUp(rest, 85), 20_000);
  expect(rest.map((member) => member.fatal())).toEqual([undefined, undefined]);
});

test('what came of a state that entries have overtaken is swept', async () => {
  const world = new World(ids);
  const members = ids.map((id) => world.member(id, { retention: id === 'b' ? {} : retention }));
  for (const { node } of members) await node.start();
  const [a, b, lost] = members;
  if (a === undefined || b === undefined || lost === undefined) throw new Error('there are three');
  const first = await world.leader(members);
  if (first !== a) first.node.transferLeadership('a');
  await world.clock.until(() => a.events.at(-1)?.startsWith('leader') === true);
  for (const other of ['a', 'b']) world.network.cut.add(`c>${other}`).add(`${other}>c`);
  await write(world, a, 0, 80);
  world.network.cut.clear();
  await world.clock.until(() => lost.node.status().snapshots.receivedBytes > 0, 5_000);
  const { generation } = lost.log;
  // The next leader has compacted nothing.
  world.network.kill('a');
  await world.clock.until(caughtUp([b, lost], 80), 20_000);
  await world.clock.until(() => lost.node.status().snapshots.receiving === undefined);
  await world.clock.until(() => lost.log.unswept > 0);
  await world.clock.until(() => lost.log.unswept === 0);
  expect(lost.log.generation).toBe(generation);
  expect([b, lost].map((member) => member.fatal())).toEqual([undefined, undefined]);
});

test('a member that stops in the middle of a transfer begins anew, and sweeps what it had', async () => {
  const { world, members, leader, lost, heal } = await away(80);
  heal();
  await world.clock.until(() => lost.node.status().snapshots.receiving !== undefined, 5_000);
  const stopped = lost.node.stop();
  await world.clock.pass(100);
  await stopped;
  await lost.log.close();
  const again = world.member(lost.id, { retention, log: lost.log, machine: lost.machine });
  await again.node.start();
  await world.clock.until(() => again.machine.notes.length === 85, 20_000);
  await world.clock.until(() => again.log.unswept === 0, 20_000);
  expect(again.machine.notes).toEqual(leader.machine.notes);
  expect(members.map((member) => member.fatal())).toEqual([undefined, undefined, undefined]);
});

test('a piece that comes damaged, twice or too late does no harm', async () => {
  const { world, members, lost, leader, heal } = await away(80);
  heal();
  let pieces = 0;
  world.network.bulk = (piece) => {
    pieces += 1;
    const damaged = Buffer.from(piece);
    damaged.writeUInt8(damaged.readUInt8(30) ^ 1, 30);
    return pieces === 1 ? [damaged] : [damaged, piece, piece];
  };
  await world.clock.until(caughtUp(members, 85), 20_000);
  expect(lost.machine.notes).toEqual(leader.machine.notes);
  expect(pieces).toBeGreaterThan(3);
  const { refusals } = lost.node.status();
  expect(refusals.get('brokenSnapshot')).toBeGreaterThanOrEqual(2);
  expect(refusals.get('lateChunk')).toBeGreaterThanOrEqual(1);
});

test('who is not admitted is neither served nor heard', async () => {
  const { world, leader, heal } = await away(80);
  heal();
  const stranger = world.network.transport('d');
  stranger.sendControl(leader.id, Buffer.from(JSON.stringify({ kind: 'snapshotFetch', exportId: 1 })));
  stranger.sendBulk(leader.id, Buffer.from('anything'));
  await world.clock.pass(20);
  expect(leader.node.status().refusals.get('brokenSnapshot')).toBeUndefined();
  expect(leader.node.status().refusals.get('goneExport')).toBeUndefined();
});

test.each([1_500, 5_000])(
  'over a link that takes %i ms for a piece, hardly any piece is sent twice',
  async (pieceMs) => {
    const { world, members, leader, lost, heal } = await away(300);
    const { clock, network } = world;
    const link = network.transport(leader.id);
    let sent = 0;
    let freeAtMs = 0;
    let isArriving = false;
    network.bulk = (piece) => {
      if (isArriving) return [piece];
      sent += 1;
      freeAtMs = Math.max(freeAtMs, clock.monotonicMs()) + pieceMs;
      clock.after(freeAtMs - clock.monotonicMs(), () => {
        isArriving = true;
        link.sendBulk(lost.id, piece);
        isArriving = false;
      });
      return [];
    };
    heal();
    await clock.until(caughtUp(members, 305), 30 * pieceMs);
    expect(lost.node.status().snapshots.installed).toBe(1);
    expect(sent).toBeLessThan(20);
  },
);
