// A directory as power lost may leave it: everything that a sync covered, and of everything else a random subset, down to
// single pages, and to single sectors of one page.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../chaos/random.ts';
import { directoryOf } from '../trace/operations.ts';
import { applyName, Content, type DiskModel, type FileState, type NameRule, type Names } from './disk-model.ts';

const pageBytes = 4_096;
const sectorBytes = 512;

export interface Image {
  readonly names: ReadonlyMap<string, Buffer | 'directory'>;
  /** What this one is without, for a report. */
  readonly lost: { readonly pages: number; readonly names: number };
}

export function drawImage(disk: DiskModel, rule: NameRule, random: Random): Image {
  const lost = { pages: 0, names: 0 };
  const names = drawNames(disk, rule, random, lost);
  const image = new Map<string, Buffer | 'directory'>();
  for (const [path, file] of [...names].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const directory = directoryOf(path);
    if (directory !== '' && image.get(directory) !== 'directory') continue;
    const state = file === 'directory' ? undefined : disk.files.get(file);
    image.set(
      path,
      state === undefined ? (file === 'directory' ? file : Buffer.alloc(0)) : drawContent(state, random, lost),
    );
  }
  return { names: image, lost };
}

/** Everything that the kernel knows: what a killed process leaves. */
export function wholeImage(disk: DiskModel): ReadonlyMap<string, Buffer | 'directory'> {
  const names: Names = new Map(disk.syncedNames);
  for (const { action } of disk.pendingNames) applyName(names, action);
  return new Map(
    [...names].map(([path, file]): [string, Buffer | 'directory'] => {
      if (file === 'directory') return [path, file];
      const content = new Content();
      const state = disk.files.get(file);
      content.write(0, state?.synced.bytes ?? Buffer.alloc(0));
      for (const { action } of state?.pending ?? []) content.apply(action);
      return [path, content.bytes];
    }),
  );
}

export function writeImage(image: ReadonlyMap<string, Buffer | 'directory'>, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [path, content] of image) {
    if (content === 'directory') mkdirSync(join(folder, path));
    else writeFileSync(join(folder, path), content);
  }
}

/** How much of what no sync covered stays: none, all, or each part by its own chance. */
const drawMood = (random: Random): number => (random.chance(0.2) ? 0 : random.chance(0.25) ? 1 : random.next());

function drawNames(disk: DiskModel, rule: NameRule, random: Random, lost: { names: number }): Names {
  const names: Names = new Map(disk.syncedNames);
  const mood = drawMood(random);
  let intact = true;
  for (const { action } of disk.pendingNames) {
    const stays = random.chance(mood);
    intact &&= stays;
    if (rule === 'linux' ? intact : stays) applyName(names, action);
    else lost.names++;
  }
  return names;
}

function drawContent({ synced, pending }: FileState, random: Random, lost: { pages: number }): Buffer {
  if (pending.length === 0) return synced.bytes;
  // versions[n]: the file after the first n of what no sync covered.
  const mood = drawMood(random);
  const size = sizeAfter(synced.size, pending, drawVersion(pending.length, mood, random));
  const content = Buffer.alloc(size);
  synced.bytes.copy(content);
  for (let at = 0; at < size; at += pageBytes) {
    const touching = pending.filter(({ action }) =>
      action.kind === 'truncate'
        ? action.size < at + pageBytes
        : action.offset < at + pageBytes && action.offset + action.data.length > at,
    );
    if (touching.length === 0) continue;
    const version = drawVersion(touching.length, mood, random);
    if (version < touching.length) lost.pages++;
    const end = Math.min(size, at + pageBytes);
    const page = content.subarray(at, end);
    for (const { action } of touching.slice(0, version)) applyToPage(page, at, action);
    const next = touching[version];
    if (next !== undefined && random.chance(0.1)) tear(page, at, next.action, random);
  }
  return content;
}

/** Of `count` changes in their order, how many reached the disk. */
function drawVersion(count: number, mood: number, random: Random): number {
  if (random.chance(mood)) return count;
  return random.chance(0.5) ? 0 : random.below(count + 1);
}

type DataAction = FileState['pending'][number]['action'];

function sizeAfter(synced: number, pending: FileState['pending'], count: number): number {
  let size = synced;
  for (const { action } of pending.slice(0, count))
    size = action.kind === 'truncate' ? action.size : Math.max(size, action.offset + action.data.length);
  return size;
}

function applyToPage(page: Buffer, at: number, action: DataAction): void {
  if (action.kind === 'truncate') {
    page.fill(0, Math.max(0, action.size - at));
    return;
  }
  const from = Math.max(at, action.offset);
  const to = Math.min(at + page.length, action.offset + action.data.length);
  if (from < to) action.data.copy(page, from - at, from - action.offset, to - action.offset);
}

/** Of a page that was being written, single sectors are new. */
function tear(page: Buffer, at: number, action: DataAction, random: Random): void {
  const whole = Buffer.from(page);
  applyToPage(whole, at, action);
  for (let sector = 0; sector < page.length; sector += sectorBytes)
    if (random.chance(0.5)) whole.copy(page, sector, sector, sector + sectorBytes);
}

/** The image with one page of one file zeroed that a sync had covered: a disk that lies. */
export function loseSyncedPage(image: Image['names'], disk: DiskModel, random: Random): Image['names'] {
  const files = [...disk.syncedNames].flatMap(([path, file]) => {
    const bytes = file === 'directory' ? 0 : (disk.files.get(file)?.synced.size ?? 0);
    return bytes > 0 && image.has(path) && /\.(log|ldb)$/.test(path) ? [{ path, bytes }] : [];
  });
  if (files.length === 0) return image;
  const { path, bytes } = random.pick(files);
  const content = image.get(path);
  if (!(content instanceof Buffer)) return image;
  const damaged = Buffer.from(content);
  const at = pageBytes * random.below(Math.ceil(bytes / pageBytes));
  damaged.fill(0, at, Math.min(bytes, at + pageBytes));
  return new Map([...image, [path, damaged]]);
}
