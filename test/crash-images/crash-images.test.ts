// The whole way on a small scale: a process that writes rows with LevelDB is recorded, and its images are opened. `npm run
// crash-images` does it with real nodes.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDirectory } from '@holdfast/server';
import { expect, test } from 'vitest';
import { seededRandom } from '../chaos/random.ts';
import { DiskModel } from './disk/disk-model.ts';
import { drawImage, loseSyncedPage, writeImage } from './disk/image.ts';
import { filesLeft } from './record/record.ts';
import { TracedProcess, whyNoStrace } from './record/strace.ts';
import { LevelJournal } from './trace/level-journal.ts';
import { type History, readHistory } from './trace/operations.ts';

const rows = 60;
/** Writes rows one after the other, and says of each on a socket that it is written. Rows are looked at here, not names. */
const script = `
  import { connect } from 'node:net';
  import { openDirectory } from '@holdfast/server';
  const [folder, port, sync] = process.argv.slice(1);
  const { database } = await openDirectory(folder, () => undefined);
  const socket = connect(Number(port), '127.0.0.1');
  for (let row = 0; row < ${rows}; row++) {
    const batch = database.batch();
    batch.put(Buffer.from('row' + row), Buffer.alloc(3000, row));
    await batch.write({ sync: sync === 'sync' });
    await new Promise((told) => socket.write('.', told));
  }
  process.kill(process.pid, 'SIGKILL');
`;

interface Recorded {
  readonly history: History;
  /** Place at which the row with this number had been told of. */
  readonly told: readonly number[];
}

async function recorded(folder: string, sync: boolean): Promise<Recorded> {
  const listener = createServer((socket) => socket.resume());
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const root = join(folder, 'data');
  mkdirSync(root);
  const trace = join(folder, 'trace');
  const command = ['--input-type=module', '-e', script, root, String(port), sync ? 'sync' : 'no'];
  await new TracedProcess(command, trace, join(folder, 'output')).exited();
  listener.close();
  const told: number[] = [];
  const history = readHistory(root, [{ trace, left: filesLeft(root) }], ({ data, begin }) => {
    told.push(...Array.from(data, () => begin));
  });
  expect(told).toHaveLength(rows);
  expect(rowsWritten(history)).toBe(rows);
  return { history, told };
}

/** As the log files that LevelDB wrote say it. */
function rowsWritten({ operations }: History): number {
  const journals = new Map<number, LevelJournal>();
  let count = 0;
  for (const { action } of operations) {
    if (action.kind === 'create' && action.path.endsWith('.log')) journals.set(action.file, new LevelJournal());
    if (action.kind !== 'write') continue;
    const found = journals.get(action.file)?.write(action.data) ?? [];
    count += found.filter(({ key, value }) => key.toString().startsWith('row') && value.length === 3_000).length;
  }
  return count;
}

/** Of images at random moments, how many lack a row that had been told of, or do not open. */
async function missed({ history, told }: Recorded, folder: string, dropSynced: boolean): Promise<number> {
  let count = 0;
  for (let image = 0; image < 25; image++) {
    const random = seededRandom(image);
    const place = random.pick(told) + random.below(6);
    const disk = new DiskModel('linux');
    const steps = history.operations.flatMap((operation) => [
      { at: operation.begin, go: () => disk.begin(operation) },
      { at: operation.end, go: () => disk.end(operation) },
    ]);
    for (const { at, go } of steps.sort((a, b) => a.at - b.at)) if (at < place) go();
    const { names } = drawImage(disk, 'linux', random);
    const directory = join(folder, `image-${dropSynced}-${image}`);
    writeImage(dropSynced ? loseSyncedPage(names, disk, random) : names, directory);
    if (!(await holds(directory, told.filter((at) => at < place).length))) count++;
  }
  return count;
}

async function holds(directory: string, rowsTold: number): Promise<boolean> {
  try {
    const { database, close } = await openDirectory(directory, () => undefined);
    const found = Array.from({ length: rowsTold }, (_, row) => database.getSync(Buffer.from(`row${row}`))?.length);
    await close();
    return found.every((bytes) => bytes === 3_000);
  } catch {
    return false;
  }
}

const why = whyNoStrace();

test.skipIf(why !== undefined).each([
  { what: 'rows that were synced are in every image', sync: true, dropSynced: false, some: false },
  { what: 'rows that were not synced are missed', sync: false, dropSynced: false, some: true },
  { what: 'rows that a lying disk lost are missed', sync: true, dropSynced: true, some: true },
])(
  '$what',
  async ({ sync, dropSynced, some }) => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-crash-images-'));
    try {
      const count = await missed(await recorded(folder, sync), folder, dropSynced);
      if (some) expect(count).toBeGreaterThan(3);
      else expect(count).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  120_000,
);

test.runIf(why !== undefined)(`the rest is skipped: ${why}`, () => {
  expect(why).toMatch(/\.$/);
});
