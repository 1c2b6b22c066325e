// Backups through the service of members: what must be in them, and what one that is under way may cost.
import { setImmediate } from 'node:timers/promises';
import { type StateExport, type VerifiedBackup, verifyBackup } from '@holdfast/store';
import { afterEach, expect, test } from 'vitest';
import { Cluster } from '../../test/cluster.ts';
import { ManualClock } from '../../test/manual-clock.ts';
import { backupBounds, createBackups } from './backups.ts';

let cluster: Cluster;
afterEach(async () => {
  for (const { fatal } of cluster.nodes.values()) expect(fatal).toEqual([]);
  await cluster.stop();
});

const nothing = { params: {}, query: {}, body: undefined };
const asked = (id: string, signal?: AbortSignal) =>
  cluster.answer(cluster.call(id, 'backup', nothing, signal === undefined ? {} : { signal }));
const refused = (id: string) => cluster.refusal(cluster.call(id, 'backup', nothing));
const running = (id: string): number => cluster.node(id).member.status().backupsInProgress;
const isRaised = (): boolean => [...cluster.nodes.values()].every(({ member }) => member.status().activeVersion === 2);

async function started(ids: readonly string[]): Promise<void> {
  cluster = await Cluster.start(ids);
  await cluster.until(isRaised);
}

test('every node gives one, and everything that was acknowledged before is in it', async () => {
  await started(['n1', 'n2', 'n3']);
  const sizes: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    for (const id of ['n1', 'n2', 'n3']) {
      await cluster.schedule(cluster.someLeader(), 'pay the rent', '1h');
      const verified: VerifiedBackup = await cluster.answer(verifyBackup(await asked(id)));
      expect(verified.faults).toEqual([]);
      expect(verified.header).toMatchObject({
        clusterId: cluster.node(id).member.status().clusterId,
        activeVersion: 2,
        epoch: 1,
      });
      sizes.push(verified.rows);
    }
  }
  // One message more each time: none was left out.
  expect(sizes).toEqual(sizes.map((_, at) => (sizes[0] ?? 0) + at));
});

test('writes go on while it is read, and are not in it', async () => {
  await started(['n1']);
  await cluster.schedule('n1', 'before', '1h');
  const backup = await asked('n1');
  await cluster.schedule('n1', 'after', '1h');
  const before = await cluster.answer(verifyBackup(backup));
  const after = await cluster.answer(verifyBackup(await asked('n1')));
  expect(after.rows).toBe(before.rows + 1);
  expect(after.header.applied.index).toBeGreaterThan(before.header.applied.index);
});

test('without a majority there is none, though the node has a state', async () => {
  await started(['n1', 'n2', 'n3']);
  const leader = cluster.someLeader();
  for (const id of ['n1', 'n2', 'n3']) if (id !== leader) cluster.cut(id);
  expect((await refused(leader)).code).toBe('HF_NO_LEADER');
  expect(running(leader)).toBe(0);
  cluster.heal();
});

test('before all members are known to be of this version there is none', async () => {
  cluster = await Cluster.start(['n1']);
  if (isRaised()) throw new Error('it was raised before anybody could ask');
  expect((await refused('n1')).code).toBe('HF_BACKUP_VERSION');
});

test('at most two at a time; one that has ended makes room', async () => {
  await started(['n1']);
  const first = await asked('n1');
  await asked('n1');
  expect(await refused('n1')).toMatchObject({ code: 'HF_BACKUP_BUSY', facts: { retryAfterMs: expect.any(Number) } });
  expect(cluster.node('n1').member.status().refusals.get('backups')).toBe(1);
  await cluster.answer(verifyBackup(first));
  expect(running('n1')).toBe(1);
  await asked('n1');
});

test('it ends when the reader goes away, before it has begun to read or while it reads', async () => {
  await started(['n1']);
  const away = new AbortController();
  await asked('n1', away.signal);
  const reading = new AbortController();
  const pieces = (await asked('n1', reading.signal))[Symbol.asyncIterator]();
  await pieces.next();
  expect(running('n1')).toBe(2);
  away.abort();
  reading.abort();
  expect(running('n1')).toBe(0);
  await expect(pieces.next()).rejects.toMatchObject({ code: 'HF_STOPPING' });
});

test('it ends when the reader stops in the middle', async () => {
  await started(['n1']);
  for await (const piece of await asked('n1')) {
    expect(piece.length).toBeGreaterThan(0);
    break;
  }
  expect(running('n1')).toBe(0);
});

test('it ends when the reader takes nothing for too long, and not before', async () => {
  await started(['n1']);
  const pieces = (await asked('n1'))[Symbol.asyncIterator]();
  await cluster.pass(backupBounds.idleMs - 1_000);
  await pieces.next();
  await cluster.pass(backupBounds.idleMs - 1_000);
  await pieces.next();
  expect(running('n1')).toBe(1);
  await cluster.pass(backupBounds.idleMs + 1_000);
  expect(running('n1')).toBe(0);
  await expect(pieces.next()).rejects.toMatchObject({ code: 'HF_STOPPING' });
});

test('a node that stops ends it', async () => {
  await started(['n1']);
  const pieces = (await asked('n1'))[Symbol.asyncIterator]();
  const { member } = cluster.node('n1');
  await cluster.answer(member.stop());
  await expect(pieces.next()).rejects.toMatchObject({ code: 'HF_STOPPING' });
  expect(member.status().backupsInProgress).toBe(0);
  cluster.nodes.delete('n1');
});

/** Of a disk that is behind what was applied; each look finds it at the next of these indexes, and then at the last. */
function behind(...written: number[]) {
  const seen = { looks: 0, closed: 0 };
  const clock = new ManualClock();
  const exportState = (): StateExport => {
    const index = written[Math.min(seen.looks, written.length - 1)] ?? 0;
    seen.looks += 1;
    return {
      applied: { index, term: 1 },
      activeVersion: 2,
      epoch: 1,
      stateHash: '00'.repeat(20),
      read: () => Promise.resolve({ rows: [], done: true }),
      close: () => Promise.resolve(void (seen.closed += 1)),
    };
  };
  const backups = createBackups({
    store: { applied: { index: 10, term: 1 }, exportState },
    clock,
    clusterId: () => 'c',
    isStopping: () => false,
    onFault: (error) => {
      throw error;
    },
  });
  return { backups, seen, clock };
}

async function settled<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  const seen = { isSettled: false };
  const settle = (): void => void (seen.isSettled = true);
  promise.then(settle, settle);
  while (!seen.isSettled) {
    await setImmediate();
    clock.advance(5);
  }
  return promise;
}

test('what was applied and is not on the disk yet is waited for: an acknowledged message is in the backup', async () => {
  const { backups, seen, clock } = behind(8, 9, 10);
  const backup = await settled(clock, backups.begin(new AbortController().signal));
  const { header } = await verifyBackup(backup);
  expect(header.applied.index).toBe(10);
  expect(seen).toEqual({ looks: 3, closed: 3 });
});

test('it is not waited for without end', async () => {
  const { backups, seen, clock } = behind(9);
  await expect(settled(clock, backups.begin(new AbortController().signal))).rejects.toMatchObject({
    code: 'HF_OVERLOADED',
  });
  expect(clock.monotonicMs()).toBeGreaterThanOrEqual(backupBounds.writtenMs);
  expect([backups.running, seen.closed]).toEqual([0, seen.looks]);
});
