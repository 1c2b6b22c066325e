// npm run crash-images -- --images 10000 --seed N        records a node on its own and a cluster of three, and opens what
//                                                        power lost would have left of their directories: so many of each
// npm run crash-images -- --nodes 1                      one of the two
// npm run crash-images -- --record DIR --seed N          the same on a record that was kept (with --keep, or for a fault)
// npm run crash-images -- --record DIR --seed N --image I   one of them; its directory stays
// npm run crash-images -- --names posix                  names as POSIX has them, and no file system in use (disk-model.ts)
// npm run crash-images -- --drop-synced                  takes what was synced as well: must fail
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandLine, oneOf, seedOf, wholeNumber } from '../command-line.ts';
import { checkImages } from './check/images.ts';
import { nameRules } from './disk/disk-model.ts';
import { readRecording, record } from './record/record.ts';
import { whyNoStrace } from './record/strace.ts';
import { Tally } from './tally.ts';

const { values } = commandLine({
  options: {
    images: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '30' },
    messages: { type: 'string', default: '3000' },
    nodes: { type: 'string' },
    seed: { type: 'string' },
    record: { type: 'string' },
    keep: { type: 'boolean', default: false },
    image: { type: 'string' },
    names: { type: 'string', default: 'linux' },
    workers: { type: 'string', default: '2' },
    'drop-synced': { type: 'boolean', default: false },
  },
});

/** Images are opened and thrown away: memory is as good a disk for that as any. */
const fast = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const seed = seedOf(values.seed);
const names = oneOf('names', values.names, nameRules);
const imagesEach = wholeNumber('images', values.images, 1);
const image = values.image === undefined ? undefined : wholeNumber('image', values.image, 0);
const seconds = wholeNumber('seconds', values.seconds, 1);
const maxMessages = wholeNumber('messages', values.messages, 1);
const counts = values.nodes === undefined ? [1, 3] : [wholeNumber('nodes', values.nodes, 1)];
const workers = image === undefined ? wholeNumber('workers', values.workers, 1) : 1;

const dropSynced = values['drop-synced'];
const opener = fileURLToPath(new URL('check/opener.js', import.meta.url));
const progressImages = 500;

async function recorded(nodes: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-record-'));
  const { nodes: records } = await record({ folder, nodes, seconds, seed, maxMessages });
  const runs = records.map((node) => node.runs.length).join(', ');
  console.log(`${nodes === 1 ? 'a node on its own' : `a cluster of ${nodes}`}: ${seconds} s under load; runs: ${runs}`);
  return folder;
}

/** @returns whether all was well */
async function checked(folder: string): Promise<boolean> {
  const images = mkdtempSync(join(fast, 'holdfast-images-'));
  try {
    const tally = new Tally({ dropSynced });
    const recording = readRecording(folder);
    const options = { recording, seed, images: imagesEach, only: image, names, dropSynced, opener, workers };
    await checkImages(
      { ...options, folder: images },
      (result) => {
        tally.add(result);
        if (tally.images % progressImages === 0) console.log(`  ${tally.images} images so far`);
      },
      (order) => tally.addOrder(order),
    );
    for (const line of tally.lines()) console.log(`  ${line}`);
    const lied = dropSynced ? ' --drop-synced' : '';
    const again = `--record ${folder} --seed ${seed} --images ${imagesEach} --names ${names}${lied}`;
    if (tally.failed) console.log(`  one of them again: npm run crash-images -- ${again} --image I`);
    return !tally.failed;
  } finally {
    if (image === undefined) rmSync(images, { recursive: true, force: true });
  }
}

async function run(): Promise<void> {
  const why = values.record === undefined ? whyNoStrace() : undefined;
  if (why !== undefined) {
    console.log(`skipped: ${why}`);
    return;
  }
  console.log(`seed ${seed}`);
  for (const nodes of values.record === undefined ? counts : [0]) {
    const folder = values.record ?? (await recorded(nodes));
    const isWell = await checked(folder);
    if (!isWell) process.exitCode = 1;
    if (values.record !== undefined) continue;
    if (values.keep || !isWell) console.log(`  record: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

await run();
