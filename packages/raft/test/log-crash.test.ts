// The log on a disk that loses its power in the middle of compaction, import, flip and sweep: whatever the moment, what
// is there afterwards is the log and the state of the last turn that was written, and nothing is left behind for ever.
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { seeded } from '../../../test/simulator/random.ts';
import { createTrueTime, type TrueTime } from '../../../test/simulator/world/clock.ts';
import { Disk } from '../../../test/simulator/world/disk.ts';
import { createProcess } from '../../../test/simulator/world/process.ts';
import { rows } from '../../../test/simulator/world/sorted-map.ts';
import { type Database, type LogStore, openLevelLog, readGeneration, type Turn } from '../src/index.ts';
import { encodeEntry } from '../src/log/entry.ts';

const membership = { id: 'a', members: ['a'], random: () => 0.25 };
const nothing: Turn = { hardState: undefined, truncateFrom: undefined, entries: [], effects: [] };

function stateKey(generation: number, name: string): Uint8Array {
  const head = Buffer.alloc(5, 2);
  head.writeUInt32BE(generation, 1);
  return Buffer.concat([head, Buffer.from(name)]);
}

/** The row that says how far the state is. */
const appliedRow = (generation: number, index: number) => ({
  key: stateKey(generation, 'applied'),
  value: Buffer.from(String(index)),
});

async function open(database: Database): Promise<{ readonly log: LogStore; readonly applied: number }> {
  const generation = await readGeneration(database);
  const row = database.getSync(stateKey(generation, 'applied'));
  const applied = Number(Buffer.from(row ?? []).toString() || '0');
  const log = await openLevelLog({ database, applied, cacheBytes: 300, writeBufferBytes: 2000, ...membership });
  expect(log.generation).toBe(generation);
  return { log, applied };
}

/** What a turn that is durable has left. */
interface Mark {
  readonly generation: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly applied: number;
}

/** Goes through everything once; `told` learns what is asked for, and what is durable. */
async function story(database: Database, told: (mark: Mark, durable: boolean) => void): Promise<void> {
  const { log } = await open(database);
  const write = async (turn: Partial<Turn>, applied: number): Promise<void> => {
    const { restore } = turn;
    const lastIndex = restore?.index ?? turn.entries?.at(-1)?.index ?? log.lastIndex;
    const firstIndex = restore === undefined ? (turn.compactTo ?? log.firstIndex) : restore.index + 1;
    const mark = { generation: restore?.generation ?? log.generation, firstIndex, lastIndex, applied };
    told(mark, false);
    await log.write({ ...nothing, ...turn });
    told(mark, true);
  };
  const append = (index: number, compactTo?: number): Promise<void> => {
    const entries = [encodeEntry(index, 1 + Math.floor(index / 4), 'commands', Buffer.alloc(60, index))];
    return write({ entries, effects: [appliedRow(log.generation, index - 1)], compactTo }, index - 1);
  };
  for (let index = 1; index <= 12; index++) await append(index, index > 4 ? index - 3 : undefined);
  const given = await log.newGeneration();
  await log.writeImport(given, [{ key: stateKey(given, 'given up'), value: Buffer.from('x') }]);
  const generation = await log.newGeneration();
  const imports = [log.writeImport(generation, [appliedRow(generation, 40)])];
  for (let i = 0; i < 5; i++) {
    imports.push(log.writeImport(generation, [{ key: stateKey(generation, `row ${i}`), value: Buffer.from('x') }]));
  }
  await append(13, 11);
  const sweeping = log.sweep();
  await append(14);
  await Promise.all([...imports, sweeping]);
  const restore = { index: 40, term: 4, configuration: Buffer.from('members'), generation };
  await write({ hardState: { term: 5, vote: undefined }, restore }, 40);
  for (let index = 41; index <= 46; index++) {
    if (log.unswept > 0) await log.sweep();
    await append(index, index > 43 ? index - 2 : undefined);
  }
  while (log.unswept > 0) await log.sweep();
}

/** Lets time pass until it is settled. */
async function ends<T>(time: TrueTime, promise: Promise<T>): Promise<T> {
  const waiting = { isOver: false };
  const settled = promise.finally(() => {
    waiting.isOver = true;
  });
  settled.catch(() => undefined);
  for (let steps = 0; !waiting.isOver; steps++) {
    if (steps > 10_000) throw new Error('it does not come to an end');
    await setImmediate();
    await time.runUntil(time.nowMs + 1, () => {});
  }
  return settled;
}

async function crashed(seed: number, atMs: number) {
  const time = createTrueTime();
  const disk = new Disk({ time, random: seeded(seed), writeMs: 1, readMs: 0.1 });
  const process = createProcess('before', time);
  let durable: Mark = { generation: 1, firstIndex: 1, lastIndex: 0, applied: 0 };
  let asked = durable;
  let isOver = false;
  const tell = async (): Promise<void> => {
    await story(disk.open(process), (mark, isDurable) => {
      asked = mark;
      if (isDurable) durable = mark;
    });
    isOver = true;
  };
  let failure: unknown;
  tell().catch((error: unknown) => {
    failure = error;
  });
  while (time.nowMs < atMs) {
    await setImmediate();
    await time.runUntil(Math.min(atMs, time.nowMs + 1), () => {});
  }
  await setImmediate();
  if (failure !== undefined) throw failure;
  process.kill();
  disk.powerLost();
  const after = disk.open(createProcess('after', time));
  const found = await ends(time, open(after));
  return { disk, time, found, durable, asked, isOver };
}

test('at whatever moment the power goes: it is the last turn or the one under way, and what is dead is swept', async () => {
  const generations = new Set<number>();
  let flipsUnderWay = 0;
  let isOver = false;
  for (let step = 0; !isOver; step++) {
    const { disk, time, found, durable, asked, isOver: over } = await crashed(1000 + step, step * 0.7);
    isOver = over;
    const { log, applied } = found;
    const { firstIndex, lastIndex, generation } = log;
    const there = { generation, firstIndex, lastIndex, applied };
    const where = `seed ${1000 + step}, at ${step * 0.7} ms`;
    expect([durable, asked], where).toContainEqual(there);
    if (durable.generation !== asked.generation) flipsUnderWay += 1;
    generations.add(generation);
    if (lastIndex >= firstIndex)
      expect(log.entries(firstIndex, lastIndex, 1e6)).toHaveLength(lastIndex + 1 - firstIndex);

    const clean = async (): Promise<void> => {
      while (log.unswept > 0) await log.sweep();
      // What was compacted goes with turns.
      await log.write(nothing);
      await log.write(nothing);
    };
    await ends(time, clean());
    for (const [name] of rows(disk.tree)) {
      const key = Buffer.from(name, 'latin1');
      if (key[0] === 2) expect(key.readUInt32BE(1), `${where}: ${key.toString('hex')}`).toBe(generation);
      if (key[0] !== 1 || (key[1] ?? 0) < 0x40) continue;
      expect(key.readUInt32BE(2), `${where}: ${key.toString('hex')}`).toBe(generation);
      if (key[1] === 0x40 && key[6] === 0) expect(key.readUInt32BE(10), where).toBeGreaterThanOrEqual(firstIndex);
    }
    const last = await ends(time, open(disk.open(createProcess('at last', time))));
    expect(last.log.generation).toBe(generation);
  }
  expect(generations).toEqual(new Set([1, 3]));
  expect(flipsUnderWay).toBeGreaterThan(0);
});
