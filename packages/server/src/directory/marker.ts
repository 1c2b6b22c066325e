// What a data directory says of itself: a file beside the database. Nothing in it is believed that was not written whole.
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { StartError } from '../start-error.ts';

const markerName = 'holdfast.json';
export const databaseName = 'db';
const format = 1;
/** What a file system puts into a fresh volume by itself. */
const notOurs = new Set(['lost+found']);
/** What a member that was replaced has left of its directory. */
const asidePrefix = 'damaged-';

/**
 * `making`: a start was about to make the database, and nothing was acknowledged yet. `restoring`: a backup is written to
 * it. `made`: whatever the database lacks is lost.
 */
export type Marker = 'making' | 'restoring' | 'made';

/**
 * For a node that starts: makes what is not there.
 *
 * @throws StartError HF_DIRECTORY_*
 */
export async function prepare(dataDir: string): Promise<'making' | 'made'> {
  await makeDirectory(resolve(dataDir));
  const names = await namesIn(dataDir);
  if (names.includes(markerName)) return startable(dataDir, await readMarker(dataDir, names));
  const stranger = names.find((name) => !name.startsWith(asidePrefix));
  if (stranger !== undefined)
    throw new StartError('HF_DIRECTORY_FOREIGN', `${dataDir} holds ${stranger}, and no ${markerName}.`);
  await writeMarker(dataDir, 'making');
  return 'making';
}

/** @throws StartError HF_DIRECTORY_* */
export async function prepareRestore(dataDir: string): Promise<void> {
  await makeDirectory(resolve(dataDir));
  const names = await namesIn(dataDir);
  const marker = names.includes(markerName) ? await readMarker(dataDir, names) : undefined;
  if (marker === 'restoring') return;
  const [stranger] = names;
  if (stranger !== undefined) throw new StartError('HF_DIRECTORY_NOT_EMPTY', `${dataDir} holds ${stranger}.`);
  await writeMarker(dataDir, 'restoring');
}

/** @throws StartError HF_DIRECTORY_* */
export async function requireMade(dataDir: string): Promise<void> {
  const names = await namesIn(dataDir);
  if (!names.includes(markerName)) throw new StartError('HF_DIRECTORY_FOREIGN', `${dataDir} holds no ${markerName}.`);
  const marker = startable(dataDir, await readMarker(dataDir, names));
  if (marker === 'making')
    throw new StartError('HF_DIRECTORY_DAMAGED', `In ${dataDir}, ${databaseName} was never made.`);
}

/** How many times the directory was moved aside, and not cleared away since. */
export async function countAside(dataDir: string): Promise<number> {
  return (await namesIn(dataDir)).filter((name) => name.startsWith(asidePrefix)).length;
}

/**
 * Moves what there is into a folder within, so that the directory may be a volume of its own; a start finds it empty then.
 * The database first: a crash between leaves a directory that is still known to be damaged.
 *
 * @returns where it is now
 */
export async function moveAside(dataDir: string, name: string): Promise<string> {
  const aside = join(dataDir, `${asidePrefix}${name}`);
  await mkdir(aside);
  await syncDirectory(dataDir);
  const names = new Set(await namesIn(dataDir));
  for (const moved of [databaseName, markerName]) {
    if (!names.has(moved)) continue;
    await rename(join(dataDir, moved), join(aside, moved));
    await syncDirectory(aside);
    await syncDirectory(dataDir);
  }
  return aside;
}

/** Whole or not at all, and on the disk when it resolves; with it the names of all that was made in the directory before. */
export async function writeMarker(dataDir: string, state: Marker): Promise<void> {
  const path = join(dataDir, markerName);
  const file = await open(`${path}.new`, 'w');
  await file.writeFile(`${JSON.stringify({ format, state })}\n`);
  await file.sync();
  await file.close();
  await rename(`${path}.new`, path);
  await syncDirectory(dataDir);
}

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** With the names of all that had to be made on the way: otherwise power loss may take the whole directory away. */
async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= resolve(first).length; made = dirname(made)) await syncDirectory(dirname(made));
}

async function namesIn(dataDir: string): Promise<readonly string[]> {
  return (await readdir(dataDir)).filter((name) => !notOurs.has(name) && name !== `${markerName}.new`);
}

function startable(dataDir: string, marker: Marker): 'making' | 'made' {
  if (marker !== 'restoring') return marker;
  throw new StartError('HF_DIRECTORY_RESTORING', `${dataDir} has a part of what is to be restored.`);
}

async function readMarker(dataDir: string, names: readonly string[]): Promise<Marker> {
  const found = parsed(await readFile(join(dataDir, markerName), 'utf8'));
  if (found.format !== undefined && found.format !== format) {
    throw new StartError(
      'HF_DIRECTORY_FORMAT',
      `${dataDir} has format ${JSON.stringify(found.format)}, and this version knows ${format}.`,
    );
  }
  if (found.state === 'making' || found.state === 'restoring') return found.state;
  if (found.state === 'made' && names.includes(databaseName)) return 'made';
  throw new StartError(
    'HF_DIRECTORY_DAMAGED',
    `In ${dataDir}, ${found.state === 'made' ? `${databaseName} is missing` : `${markerName} is damaged`}.`,
  );
}

function parsed(text: string): { readonly format?: unknown; readonly state?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
