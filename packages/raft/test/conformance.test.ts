// Both log stores, the transport and the tests' own state machine hold what is asked of every implementation.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { MemoryLevel } from 'memory-level';
import { afterEach, describe, expect, test } from 'vitest';
import {
  logStoreChecks,
  snapshotMachineChecks,
  stateMachineChecks,
  transportChecks,
} from '../src/conformance/index.ts';
import {
  createTcpTransport,
  type Database,
  type LogStore,
  MemoryLog,
  openLevelLog,
  readGeneration,
  systemClock,
  type Transport,
} from '../src/index.ts';
import { freePort, until } from './real.ts';
import { securities } from './secured.ts';
import { bytes, Network, Notebook, seeded, World } from './world.ts';

const membership = { id: 'someone', members: ['someone', 'another'], random: seeded(1) };
const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const;
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

describe('memory log', () => {
  const checks = logStoreChecks({
    open: async () => new MemoryLog(membership),
    reopen: async (log) => {
      await log.close();
      return log;
    },
    state: (log, key) => (log instanceof MemoryLog ? log.stateRow(key) : undefined),
  });
  for (const { name, run } of checks) test(name, run);
});

describe.each(['level', 'memory-level'] as const)('log on %s', (kind) => {
  const databases = new WeakMap<LogStore, Database>();
  const opened = async (database: Database, applied = 0): Promise<LogStore> => {
    const log = await openLevelLog({ database, applied, cacheBytes: 200, ...membership });
    expect(await readGeneration(database)).toBe(log.generation);
    databases.set(log, database);
    return log;
  };
  const create = async (): Promise<Database> => {
    if (kind === 'memory-level') {
      const memory = new MemoryLevel<Uint8Array, Uint8Array>(encodings);
      await memory.open();
      return memory;
    }
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-log-'));
    const level = new Level<Uint8Array, Uint8Array>(directory, encodings);
    await level.open();
    cleanups.push(
      () => rm(directory, { recursive: true }),
      () => level.close(),
    );
    return level;
  };
  const checks = logStoreChecks({
    open: async () => opened(await create()),
    reopen: async (log, applied) => {
      await log.close();
      const database = databases.get(log);
      if (database instanceof Level) {
        await database.close();
        await database.open();
      }
      if (database === undefined) throw new Error('not a log of this test');
      return opened(database, applied);
    },
    state: (log, key) => databases.get(log)?.getSync(key),
  });
  for (const { name, run } of checks) test(name, run);
});

describe.each(['none', 'secret', 'tls'] as const)('TCP, security %s', (kind) => {
  const checks = transportChecks({
    open: async (ids) => {
      const addresses = new Map<string, { readonly host: string; readonly port: number }>();
      for (const id of ids) addresses.set(id, { host: '127.0.0.1', port: await freePort() });
      const transports = new Map<string, Transport>();
      for (const [id, listen] of addresses) {
        const peers = new Map([...addresses].filter(([peer]) => peer !== id));
        const security = securities[kind](id);
        const transport = createTcpTransport({ id, listen, peers, clock: systemClock, random: Math.random, security });
        transports.set(id, transport);
        cleanups.push(() => transport.close());
      }
      return transports;
    },
    until,
  });
  for (const { name, run } of checks) test(name, run);
});

describe('the network of the tests', () => {
  const world = new World([]);
  const checks = transportChecks({
    open: async (ids) => {
      const network = new Network(world.clock);
      return new Map(ids.map((id) => [id, network.transport(id)]));
    },
    until: (holds) =>
      world.clock.until(() => {
        // Something must make time pass, even when nothing is on its way.
        world.clock.after(1, () => undefined);
        return holds();
      }),
  });
  for (const { name, run } of checks) test(name, run);
});

describe('the notebook', () => {
  const entries = [['one', 'two'], ['three']].map((notes) => ({ header: bytes('header'), commands: notes.map(bytes) }));
  for (const { name, run } of stateMachineChecks({ create: () => new Notebook(), entries })) test(name, run);
  const open = async () => ({ machine: new Notebook(), write: async () => undefined });
  const more = { open, entries: [...entries, ...entries] };
  for (const { name, run } of snapshotMachineChecks(more)) test(name, run);
});
