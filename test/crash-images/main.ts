// npm run crash-images -- --images 10000 --seed N      records a real node, and opens what power lost would have left of it
// npm run crash-images -- --record DIR                 the same on a record that was kept (with --keep)
// npm run crash-images -- --record DIR --image I       one of them; its directory stays
import { fork } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkImages, type ImageResult } from './check/images.ts';
import { nameRules } from './disk/disk-model.ts';
import { readRecording, record } from './record/record.ts';
import { whyNoStrace } from './record/strace.ts';
import { Tally } from './tally.ts';

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '30' },
    messages: { type: 'string', default: '6000' },
    seed: { type: 'string' },
    record: { type: 'string' },
    keep: { type: 'boolean', default: false },
    image: { type: 'string' },
    names: { type: 'string', default: 'journal' },
    workers: { type: 'string', default: '2' },
    'drop-synced': { type: 'boolean', default: false },
  },
});

/** Images are opened and thrown away: memory is as good a disk for that as any. */
const fast = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const names = nameRules.find((rule) => rule === values.names);
if (names === undefined) throw new Error(`--names is one of ${nameRules.join(', ')}`);

const optionsOf = (folder: string, share: { readonly of: number; readonly at: number }, images: string) => ({
  recording: readRecording(folder),
  seed,
  images: Number(values.images),
  share,
  only: values.image === undefined ? undefined : Number(values.image),
  names,
  dropSynced: values['drop-synced'],
  folder: images,
});

interface Work {
  readonly record: string;
  readonly share: { readonly of: number; readonly at: number };
  readonly images: string;
}

/** A child: its share of the images. */
function work(): void {
  process.once('message', ({ record, share, images }: Work) => {
    checkImages(optionsOf(record, share, images), (result) => process.send?.(result)).then(
      () => process.disconnect(),
      (error: unknown) => {
        console.error(error);
        process.exit(2);
      },
    );
  });
}

async function shared(folder: string, images: string, onResult: (result: ImageResult) => void): Promise<void> {
  const workers = values.image === undefined ? Number(values.workers) : 1;
  const done = Array.from({ length: workers }, async (_, at) => {
    const child = fork(fileURLToPath(import.meta.url), [...process.argv.slice(2), '--seed', String(seed)], {
      env: { ...process.env, HOLDFAST_CRASH_IMAGES_WORKER: '1' },
    });
    child.on('message', onResult);
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.send({ record: folder, share: { of: workers, at }, images } satisfies Work);
    const code = await ended;
    if (code !== 0) throw new Error(`a worker ended with ${code}`);
  });
  await Promise.all(done);
}

async function run(): Promise<void> {
  const why = values.record === undefined ? whyNoStrace() : undefined;
  if (why !== undefined) {
    console.log(`skipped: ${why}`);
    return;
  }
  const folder = values.record ?? mkdtempSync(join(tmpdir(), 'holdfast-record-'));
  const images = mkdtempSync(join(fast, 'holdfast-images-'));
  try {
    if (values.record === undefined) {
      const seconds = Number(values.seconds);
      console.log(`seed ${seed}; a node under load is recorded for ${seconds} s`);
      const { runs } = await record({ folder, seconds, seed, maxMessages: Number(values.messages) });
      console.log(`recorded ${runs.length} runs of it, each but the last ended and started again`);
    }
    const tally = new Tally();
    await shared(folder, images, (result) => tally.add(result));
    for (const line of tally.lines()) console.log(line);
    const again = `--record ${folder} --seed ${seed} --images ${values.images} --names ${names}`;
    if (tally.failed) console.log(`one again: npm run crash-images -- ${again} --image N`);
    process.exitCode = tally.failed ? 1 : 0;
  } finally {
    if (values.image === undefined) rmSync(images, { recursive: true, force: true });
    if (values.record === undefined && !values.keep && process.exitCode === 0)
      rmSync(folder, { recursive: true, force: true });
    else console.log(`record: ${folder}`);
  }
}

if (process.env['HOLDFAST_CRASH_IMAGES_WORKER'] === '1') work();
else await run();
