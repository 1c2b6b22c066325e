// Three members with real sockets and real LevelDBs in one process.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  createRaftNode,
  createTcpTransport,
  type Outcome,
  openLevelLog,
  type RaftNode,
  type Retention,
  systemClock,
} from '../src/index.ts';
import { freePort, until } from './real.ts';
import { bytes, Notebook, timing } from './world.ts';

interface Running {
  readonly id: string;
  readonly node: RaftNode<number>;
  readonly machine: Notebook;
  readonly leads: () => boolean;
  readonly fatal: () => Error | undefined;
  /** As a process that is killed: the sockets close, and nothing is said or written. */
  kill(): Promise<void>;
}

const ids = ['n1', 'n2', 'n3'];
let root = '';
let ports: ReadonlyMap<string, number> = new Map();
let running: Running[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-cluster-'));
  ports = new Map(await Promise.all(ids.map(async (id) => [id, await freePort()] as const)));
});

afterEach(async () => {
  for (const member of running) await member.kill();
  running = [];
  await rm(root, { recursive: true });
});

interface Given {
  /** What an earlier start of the member had; without it everything is applied anew. */
  readonly machine?: Notebook;
  readonly retention?: Partial<Retention>;
}

async function start(
  id: string,
  directory = id,
  port = ports.get(id) ?? 0,
  { machine = new Notebook(), retention = {} }: Given = {},
): Promise<Running> {
  const database = new Level<Uint8Array, Uint8Array>(join(root, directory), {
    keyEncoding: 'view',
    valueEncoding: 'view',
  });
  await database.open();
  const applied = machine.applied.index;
  const log = await openLevelLog({ database, applied, id, members: ids, random: Math.random });
  const address = (peer: string) => ({ host: '127.0.0.1', port: ports.get(peer) ?? 0 });
  const peers = new Map(ids.filter((peer) => peer !== id).map((peer) => [peer, address(peer)]));
  const transport = createTcpTransport({
    id,
    listen: { host: '127.0.0.1', port },
    peers,
    clock: systemClock,
    random: Math.random,
  });
  let leads = false;
  let error: Error | undefined;
  const node = createRaftNode<number>({
    id,
    members: ids,
    addresses: new Map([...ports].map(([peer, at]) => [peer, String(at)])),
    reach: (text) => (text === '' ? undefined : { host: '127.0.0.1', port: Number(text) }),
    timing,
    log,
    stateMachine: machine,
    transport,
    clock: systemClock,
    random: Math.random,
    retention,
    owner: {
      entryHeader: () => bytes(id),
      onLeader: () => {
        leads = true;
      },
      onLeaderLost: () => {
        leads = false;
      },
      onSample: () => undefined,
      onFatal: (cause) => {
        error = cause;
      },
    },
  });
  const kill = async (): Promise<void> => {
    await transport.close();
    await node.stop();
    await log.close();
    await database.close();
  };
  const member = { id, node, machine, leads: () => leads && error === undefined, fatal: () => error, kill };
  await node.start();
  running.push(member);
  return member;
}

async function leaderOf(members: readonly Running[]): Promise<Running> {
  await until(() => members.some(({ leads }) => leads()));
  const leader = members.find(({ leads }) => leads());
  if (leader === undefined) throw new Error('nobody leads');
  return leader;
}

async function propose(leader: Running, from: number, count: number): Promise<readonly Outcome<number>[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => leader.node.propose(bytes(`note ${from + i}`))));
}

test('a cluster goes on without its leader, and takes it back, but not with an empty directory', async () => {
  const members = await Promise.all(ids.map((id) => start(id)));
  const first = await leaderOf(members);
  const outcomes = await propose(first, 0, 2000);
  expect(outcomes.map(({ kind }) => kind)).toEqual(outcomes.map(() => 'applied'));

  await first.kill();
  running = running.filter((member) => member !== first);
  const second = await leaderOf(running);
  const more = await propose(second, 2000, 100);
  expect(more.every(({ kind }) => kind === 'applied')).toBe(true);
  const expected = Array.from({ length: 2100 }, (_, i) => `note ${i}`);
  expect(second.machine.notes).toEqual(expected);

  const back = await start(first.id);
  await until(() => back.machine.notes.length === 2100);
  expect(back.machine.notes).toEqual(expected);

  await back.kill();
  running = running.filter((member) => member !== back);
  await rm(join(root, first.id), { recursive: true });
  const wiped = await start(first.id);
  await until(() => wiped.fatal() !== undefined);
  expect(wiped.fatal()).toMatchObject({ code: 'HF_WIPED_MEMBER' });
  expect(wiped.fatal()?.message).toContain('Two of three go on without it');
  expect((await propose(await leaderOf(running.filter((member) => member !== wiped)), 2100, 1))[0]?.kind).toBe(
    'applied',
  );
});

test('a second process under the name of a member stops, and the member goes on', async () => {
  const members = await Promise.all(ids.map((id) => start(id)));
  const leader = await leaderOf(members);
  await propose(leader, 0, 10);
  for (const member of members) {
    const stray = await start(member.id, `stray ${member.id}`, await freePort());
    await until(() => stray.fatal() !== undefined);
    expect(stray.fatal()).toMatchObject({ code: 'HF_WIPED_MEMBER' });
  }
  await propose(leader, 10, 10);
  await until(() => members.every(({ machine }) => machine.notes.length === 20));
  expect(members.map(({ fatal }) => fatal())).toEqual([undefined, undefined, undefined]);
  expect(leader.leads()).toBe(true);
  for (const { node } of members) expect(node.status().refusals.get('notAdmitted')).toBeUndefined();
});

test('a member that was away gets the state over the wire, writes it beside its own, and opens with it again', async () => {
  const retention = { retainBytes: 200_000, retainEntries: 50, catchUpBytes: 400_000 };
  const members = await Promise.all(ids.map((id) => start(id, id, ports.get(id), { retention })));
  const leader = await leaderOf(members);
  await propose(leader, 0, 10);
  const away = members.find((member) => member !== leader);
  if (away === undefined) throw new Error('three were started');
  await until(() => away.machine.notes.length === 10);
  await away.kill();
  running = running.filter((member) => member !== away);
  const padding = 'x'.repeat(8_000);
  for (let note = 10; note < 210; note += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, i) => leader.node.propose(bytes(`note ${note + i} ${padding}`))));
  }
  const back = await start(away.id, away.id, ports.get(away.id), { retention, machine: away.machine });
  await until(() => back.machine.notes.length === 210);
  expect(back.machine.notes).toEqual(leader.machine.notes);
  expect(back.node.status().snapshots.installed).toBe(1);
  expect(back.node.status().snapshots.receivedBytes).toBeGreaterThan(1_000_000);
  await until(() => back.node.status().snapshots.sweeping === 0);

  await back.kill();
  running = running.filter((member) => member !== back);
  await propose(leader, 210, 1);
  const again = await start(away.id, away.id, ports.get(away.id), { retention, machine: back.machine });
  await until(() => again.machine.notes.length === 211);
  expect(again.node.status().snapshots.installed).toBe(0);
  expect(again.fatal()).toBeUndefined();
});
