// Random work on a store that is exported while it goes on; what comes out must be the state of one applied index, and
// nothing else, wherever it is taken in.
import * as fc from 'fast-check';
import { MemoryLevel } from 'memory-level';
import { expect, test } from 'vitest';
import {
  type Effect,
  encodeCommand,
  encodeStamp,
  openStore,
  readBackup,
  restoreRows,
  type StateExport,
  type StateRow,
  type Store,
  verifyBackup,
  verifyState,
  writeBackup,
} from '../src/index.ts';
import { type Database, type Entry, Harness } from './harness.ts';
import { concrete, type Step, steps } from './operations.ts';
import { Reference } from './reference.ts';

const limits = { topics: 2, groupsPerTopic: 3, endedKeepMs: 1_000 };
const chunkBytes = fc.integer({ min: 1, max: 2_000 });
const exportEvery = 11;

test('what is exported while writes go on is the state at the index of the export, byte for byte', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(steps, chunkBytes, async (work, maxBytes) => {
      const node = await Harness.open({ limits, writing: 'later' });
      const exports: StateExport[] = [];
      await runWork(node, work, (number) => {
        if (number % exportEvery === 0) exports.push(node.store.exportState());
      });
      for (const taken of exports) await compareWithReplay(node.log, taken, maxBytes);
    }),
    { numRuns: 12 },
  );
});

async function compareWithReplay(log: readonly Entry[], taken: StateExport, maxBytes: number): Promise<void> {
  const { index } = taken.applied;
  const rows = await readAll(taken, maxBytes);
  await taken.close();
  const control = await replayed(log.slice(0, index));
  expect(control.store.applied).toEqual(taken.applied);
  expect(rows).toEqual(await rowsOf(control.store));

  const database = await openDatabase();
  let written: StateRow | undefined;
  for (const row of rows) written = await writeRows(database, await openStore({ database, limits }), 7, [row]);
  expect(written === undefined).toBe(index === 0);
  const imported = await openStore({ database, limits, generation: 7 });
  expect(imported.applied).toEqual(taken.applied);
  expect(imported.stateHash).toBe(control.store.stateHash);
  expect(await imported.check()).toEqual([]);
  applyAll(imported, log.slice(index));
  applyAll(control.store, log.slice(index));
  expect(imported.stateHash).toBe(control.store.stateHash);
  if (index > 0) expect(await imported.check()).toEqual([]);
}

test('a member that adopts another one s state goes on like it', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(steps, chunkBytes, async (work, maxBytes) => {
      const node = await Harness.open({ limits, writing: 'now' });
      await runWork(node, work, () => {});
      const behind = await Harness.open({ limits, writing: 'later' });
      const half = Math.floor(node.log.length / 2);
      for (const entry of node.log.slice(0, half)) {
        behind.term = entry.term;
        await behind.raw(entry.commands, entry.header);
      }
      const taken = node.store.exportState();
      await writeRows(behind.database, behind.store, 2, await readAll(taken, maxBytes));
      await taken.close();
      while (behind.turnsInFlight > 0) await behind.durable();
      await behind.store.adopt(2);
      expect(behind.store.applied).toEqual(node.store.applied);
      expect(behind.store.pendingBytes).toBe(0);
      expect(behind.store.stateHash).toBe(node.store.stateHash);
      expect(await behind.store.check()).toEqual([]);
      behind.term = node.term;
      behind.log.splice(0, Number.POSITIVE_INFINITY, ...node.log);
      for (const entry of node.log.slice(half)) {
        const ahead = encodeStamp(node.store.clockMs + 10);
        expect(await behind.raw(entry.commands, ahead)).toEqual(await node.raw(entry.commands, ahead));
        expect(behind.store.stateHash).toBe(node.store.stateHash);
      }
      while (behind.turnsInFlight > 0) await behind.durable();
      behind.turn();
      await behind.durable();
      expect(await rowsOf(behind.store)).toEqual(await rowsOf(node.store));
      expect(await behind.store.check()).toEqual([]);
    }),
    { numRuns: 8 },
  );
});

test('any state comes back from a backup, but for its epoch and its place in the log', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(steps, chunkBytes, async (work, pieceBytes) => {
      const node = await Harness.open({ limits });
      await runWork(node, work, () => {});
      const taken = node.store.exportState();
      const pieces: Uint8Array[] = [];
      for await (const piece of writeBackup(taken, { clusterId: 'c', createdMs: 1 })) pieces.push(piece);
      await taken.close();
      const file = Buffer.concat(pieces);
      const source = async function* (): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < file.length; at += pieceBytes) yield file.subarray(at, at + pieceBytes);
      };
      expect(await verifyBackup(source())).toMatchObject({ isWhole: true, faults: [] });
      const database = await openDatabase();
      const place = { generation: 3, epoch: 2, applied: { index: 1, term: 1 } };
      for await (const effects of restoreRows(await readBackup(source()), place)) await write(database, effects);
      const verified = await verifyState({ database, limits, generation: 3 });
      expect(verified).toMatchObject({ epoch: 2, applied: place.applied, isWhole: true, faults: [] });
      const restored = await openStore({ database, limits, generation: 3 });
      expect((await rowsOf(restored)).slice(1)).toEqual((await rowsOf(node.store)).slice(1));
    }),
    { numRuns: 8 },
  );
});

/** Below version 2 nobody sends a state, and the running hash depends on the generation. */
async function runWork(node: Harness, work: readonly Step[], after: (number: number) => void): Promise<void> {
  const reference = new Reference(limits);
  reference.entry(1, node.stampMs);
  for (const of of [node, reference]) await of.apply({ kind: 'activate', version: 2 });
  for (const [number, step] of work.entries()) {
    node.stampMs += step.aheadMs;
    if (step.newTerm) node.term += 1;
    reference.entry(node.term, step.stamped ? node.stampMs : undefined);
    const commands = step.operations.map((operation) => {
      const command = concrete(operation, reference);
      if (command instanceof Uint8Array) return command;
      reference.apply(command);
      return encodeCommand(command);
    });
    await node.raw(commands, step.stamped ? encodeStamp(node.stampMs) : new Uint8Array());
    if (node.writing === 'now') continue;
    if (step.disk === 'turn' && node.turnsInFlight === 0) node.turn();
    if (step.disk === 'durable') await node.durable();
    after(number);
  }
}

async function replayed(log: readonly Entry[]): Promise<Harness> {
  const node = await Harness.open({ limits });
  for (const entry of log) {
    node.term = entry.term;
    await node.raw(entry.commands, entry.header);
  }
  return node;
}

function applyAll(store: Store, log: readonly Entry[]): void {
  for (const entry of log) {
    store.begin(entry);
    for (const bytes of entry.commands) store.command(bytes);
    store.end();
  }
}

async function rowsOf(store: Store): Promise<readonly StateRow[]> {
  const taken = store.exportState();
  const rows = await readAll(taken, 1_000_000);
  await taken.close();
  return rows;
}

async function readAll(taken: StateExport, maxBytes: number): Promise<readonly StateRow[]> {
  const all: StateRow[] = [];
  for (;;) {
    const { rows, done } = await taken.read(all.at(-1)?.key, maxBytes);
    all.push(...rows);
    const bytes = rows.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    if (rows.length > 1) expect(bytes).toBeLessThanOrEqual(maxBytes);
    if (done) return all;
    expect(rows.length).toBeGreaterThan(0);
  }
}

async function writeRows(
  database: Database,
  store: Store,
  generation: number,
  rows: readonly StateRow[],
): Promise<StateRow | undefined> {
  await write(database, store.importRows(generation, rows));
  return rows.at(-1);
}

async function write(database: Database, effects: readonly Effect[]): Promise<void> {
  const batch = database.batch();
  for (const { key, value } of effects) if (value !== undefined) batch.put(key, value);
  await batch.write();
}

async function openDatabase(): Promise<Database> {
  const database: Database = new MemoryLevel({ keyEncoding: 'view', valueEncoding: 'view' });
  await database.open();
  return database;
}
