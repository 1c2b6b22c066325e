// Looks at a disk when a run is over, outside simulated time: opens the log on it, and applies it anew from the beginning.
import { type Database, decodePayload, type Entry, openLevelLog, readGeneration } from '@holdfast/raft';
import { type Change, decodeCommand, openStore, type StateReader, type Store, type Verdict } from '@holdfast/store';
import type { LoggedEntry } from './check/evidence.ts';
import { seeded } from './random.ts';
import { createTrueTime, type TrueTime } from './world/clock.ts';
import { Disk } from './world/disk.ts';
import { createProcess } from './world/process.ts';
import type { Tree } from './world/sorted-map.ts';

/** A database on a copy of these rows, in which reads and writes take no time. */
function databaseOf(tree: Tree): Database & StateReader {
  const time = createTrueTime();
  const atOnce: TrueTime = {
    ...time,
    after(_, action) {
      queueMicrotask(action);
      return { cancel: () => {} };
    },
  };
  return new Disk({ time: atOnce, random: seeded(1), writeMs: 0, readMs: 0 }, tree).open(
    createProcess('reader', atOnce),
  );
}

export interface DiskRead {
  readonly firstIndex: number;
  readonly applied: number;
  readonly entries: readonly Entry[];
  /** Of the state's rows, as sentences: what does not fit together, or is not what was put. */
  readonly faults: readonly string[];
}

/** Every entry on this disk. @throws RaftError when the log can not be opened */
export async function readLog(tree: Tree, id: string, members: readonly string[]): Promise<DiskRead> {
  const database = databaseOf(tree);
  const store = await openStore({ database, generation: await readGeneration(database) });
  const log = await openLevelLog({ database, applied: store.applied.index, id, members, random: () => 0.5 });
  const { firstIndex, lastIndex } = log;
  const entries = lastIndex < firstIndex ? [] : log.entries(firstIndex, lastIndex, Number.POSITIVE_INFINITY);
  return { firstIndex, applied: store.applied.index, entries, faults: await store.check() };
}

export interface Replayed {
  readonly log: readonly LoggedEntry[];
  readonly faults: readonly string[];
  /** By applied index. */
  readonly hashes: ReadonlyMap<number, string>;
}

/** Applies the log on an empty store. Commands see exactly what they saw when the cluster applied them. */
export async function replay(entries: readonly Entry[], upTo: number): Promise<Replayed> {
  const database = databaseOf(undefined);
  let changes: readonly Change[] = [];
  const store = await openStore({ database });
  store.listen((heard) => {
    changes = [...changes, ...heard];
  });
  const log: LoggedEntry[] = [];
  const hashes = new Map<number, string>();
  for (const entry of entries) {
    if (entry.index > upTo) break;
    const applied = applyEntry(store, entry);
    hashes.set(entry.index, store.stateHash);
    const commands = applied.flatMap(({ bytes, verdict }) => {
      const command = decodeCommand(bytes);
      return command === undefined ? [] : [{ command, verdict }];
    });
    log.push({ index: entry.index, term: entry.term, clockMs: store.clockMs, commands, changes });
    changes = [];
    if (entry.index % 64 === 0) await writeEffects(database, store);
  }
  await writeEffects(database, store);
  const faults = await store.check();
  return { log, faults, hashes };
}

function applyEntry(store: Store, entry: Entry): readonly { readonly bytes: Uint8Array; readonly verdict: Verdict }[] {
  const { header, commands } =
    entry.kind === 'commands' ? decodePayload(entry.payload) : { header: new Uint8Array(0), commands: [] };
  store.begin({ index: entry.index, term: entry.term, header });
  const applied = commands.map((bytes) => ({ bytes, verdict: store.command(bytes) }));
  store.end();
  return applied;
}

async function writeEffects(database: Database, store: Store): Promise<void> {
  if (store.pendingBytes === 0) return;
  const batch = database.batch();
  for (const { key, value } of store.takeEffects()) {
    if (value === undefined) batch.del(key);
    else batch.put(key, value);
  }
  await batch.write({ sync: true });
  store.effectsWritten();
}
