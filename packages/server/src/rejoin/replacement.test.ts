// The steps of a replacement, against a cluster that answers from a list.
import { setImmediate } from 'node:timers/promises';
import { type AnswerOf, HoldfastError, OutcomeUnknownError } from '@holdfast/api';
import { expect, test } from 'vitest';
import { ManualClock } from '../../test/manual-clock.ts';
import { mayBeReplaced, type ReplacementPorts, rejoinBounds, replace } from './replacement.ts';

type Seen = AnswerOf<'members'>;
const own = { id: 'n3', incarnation: 'new', peer: '127.0.0.1:7503', api: 'http://127.0.0.1:7403' };
const voter = (id: string, incarnation = id, reachable = true) => ({
  id,
  incarnation,
  role: 'voter' as const,
  reachable,
});

/** Keeps what it is asked to change, and the ms at which it was asked who the members are. */
class FakeCluster {
  readonly clock = new ManualClock();
  readonly asked: string[] = [];
  readonly looksMs: number[] = [];
  readonly events: string[] = [];
  readonly away = new AbortController();
  members: Seen['members'] = [voter('n1'), voter('n2'), voter('n3', 'old', false)];
  fails: () => void = () => undefined;

  readonly ports: ReplacementPorts = {
    id: 'n3',
    members: async () => {
      this.looksMs.push(this.clock.monotonicMs());
      this.fails();
      return { leader: 'n1', settled: true, members: this.members };
    },
    remove: async (lost) => {
      this.asked.push(`remove ${lost}`);
      this.fails();
      this.members = this.members.filter(({ id }) => id !== 'n3');
      return { kind: 'removed' };
    },
    add: async ({ id, incarnation }) => {
      this.asked.push(`add ${incarnation}`);
      this.fails();
      this.members = [...this.members, { id, incarnation, role: 'learner', reachable: true }];
      return { kind: 'added', role: 'learner' };
    },
    clock: this.clock,
    random: () => 1,
    log: {
      info: ({ event }) => void this.events.push(event),
      warn: ({ event }) => void this.events.push(event),
      error: ({ event }) => void this.events.push(event),
    },
  };

  /** Lets time pass until it has an answer. */
  async outcome(promise: Promise<boolean>): Promise<boolean> {
    const seen = { isSettled: false };
    const settle = (): void => void (seen.isSettled = true);
    promise.then(settle, settle);
    while (!seen.isSettled) {
      await setImmediate();
      this.clock.advance(500);
    }
    return promise;
  }
}

test('first the directory that is gone is removed, then the new one is taken in', async () => {
  const cluster = new FakeCluster();
  expect(await cluster.outcome(replace(cluster.ports, own, false, cluster.away.signal))).toBe(true);
  expect(cluster.asked).toEqual(['remove old', 'add new']);
  expect(cluster.events).toEqual(['rejoin.removes', 'rejoin.done']);
});

test('whoever could not be taken in again is not removed', async () => {
  const cluster = new FakeCluster();
  const far = { ...own, peer: `${'a'.repeat(150)}:7503`, api: `http://${'a'.repeat(150)}:7403` };
  expect(await cluster.outcome(replace(cluster.ports, far, false, cluster.away.signal))).toBe(false);
  expect(cluster.asked).toEqual([]);
  expect(cluster.members).toHaveLength(3);
});

test('an answer that was lost is no reason to do it twice', async () => {
  const cluster = new FakeCluster();
  const { ports } = cluster;
  const lost = { ...ports, remove: async (id: string) => (await ports.remove(id), await cut()) };
  expect(await cluster.outcome(replace(lost, own, true, cluster.away.signal))).toBe(true);
  expect(cluster.asked).toEqual(['remove old', 'add new']);
});

test('a removal that may have been done comes to its end; one that was refused is left to whoever did it', async () => {
  const unknown = new FakeCluster();
  const andThen = (cluster: FakeCluster, error: HoldfastError): ReplacementPorts => ({
    ...cluster.ports,
    remove: async (lost) => (await cluster.ports.remove(lost), Promise.reject(error)),
  });
  const lostAnswer = andThen(unknown, new OutcomeUnknownError());
  expect(await unknown.outcome(replace(lostAnswer, own, false, unknown.away.signal))).toBe(true);
  expect(unknown.asked).toEqual(['remove old', 'add new']);

  const refused = new FakeCluster();
  const byAnOperator = andThen(refused, new HoldfastError('HF_MEMBERS_REFUSED'));
  expect(await refused.outcome(replace(byAnOperator, own, false, refused.away.signal))).toBe(false);
  expect(refused.asked).toEqual(['remove old']);
});

test('being taken in is no news before it is settled: an entry that is not committed may be taken back', async () => {
  const cluster = new FakeCluster();
  const { ports } = cluster;
  let looks = 0;
  const members = async (): Promise<Seen> => {
    const seen = await ports.members();
    if (!seen.members.some(({ incarnation }) => incarnation === 'new')) return seen;
    looks += 1;
    // Its leader is gone before the entry is anywhere else, and the next one knows nothing of it.
    if (looks === 2) cluster.members = seen.members.filter(({ id }) => id !== 'n3');
    return looks === 1 ? { ...seen, settled: false } : { ...seen, members: cluster.members };
  };
  expect(await cluster.outcome(replace({ ...ports, members }, own, false, cluster.away.signal))).toBe(true);
  expect(cluster.asked).toEqual(['remove old', 'add new', 'add new']);
});

const cut = (): Promise<never> => Promise.reject(new HoldfastError('HF_NO_LEADER'));

test('a new node that nobody has heard of is not taken in by itself', async () => {
  const cluster = new FakeCluster();
  cluster.members = [voter('n1'), voter('n2')];
  expect(await cluster.outcome(replace(cluster.ports, own, false, cluster.away.signal))).toBe(false);
  expect(cluster.asked).toEqual([]);
  expect(await cluster.outcome(replace(cluster.ports, own, true, cluster.away.signal))).toBe(true);
  expect(cluster.asked).toEqual(['add new']);
});

test('it asks less and less often, as often as it may, and says so', async () => {
  const cluster = new FakeCluster();
  cluster.fails = () => {
    throw new HoldfastError('HF_NO_LEADER');
  };
  expect(await cluster.outcome(replace(cluster.ports, own, true, cluster.away.signal))).toBe(false);
  expect(cluster.looksMs).toHaveLength(rejoinBounds.attempts);
  const waits = cluster.looksMs.slice(1).map((ms, at) => ms - (cluster.looksMs[at] ?? 0));
  expect(waits.slice(0, 6)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
  expect(Math.max(...waits)).toBe(rejoinBounds.lastMs);
  expect(cluster.events.filter((event) => event === 'rejoin.waits')).toHaveLength(rejoinBounds.attempts);
  expect(cluster.events.at(-1)).toBe('rejoin.gaveUp');
});

test('a cluster that removes and lists it again is not asked without end', async () => {
  const cluster = new FakeCluster();
  const ports = { ...cluster.ports, remove: async () => ({ kind: 'removed' as const }) };
  expect(await cluster.outcome(replace(ports, own, true, cluster.away.signal))).toBe(false);
  expect(cluster.looksMs).toHaveLength(rejoinBounds.attempts);
});

test('a node that stops asks no more', async () => {
  const cluster = new FakeCluster();
  cluster.members = [voter('n1'), voter('n2', 'n2', false), voter('n3', 'old', false)];
  const done = replace(cluster.ports, own, true, cluster.away.signal);
  while (cluster.looksMs.length === 0) await setImmediate();
  cluster.away.abort();
  expect(await done).toBe(false);
  expect(cluster.events).not.toContain('rejoin.gaveUp');
});

test('before anything is moved, the cluster must know this member, and be able to do without it', async () => {
  const cluster = new FakeCluster();
  expect(await cluster.outcome(mayBeReplaced(cluster.ports, cluster.away.signal))).toBe(true);
  cluster.members = [voter('n1'), voter('n2')];
  expect(await cluster.outcome(mayBeReplaced(cluster.ports, cluster.away.signal))).toBe(false);
  cluster.members = [voter('n1'), voter('n2', 'n2', false), voter('n3', 'old', false)];
  expect(await cluster.outcome(mayBeReplaced(cluster.ports, cluster.away.signal))).toBe(false);
  expect(cluster.asked).toEqual([]);
});
