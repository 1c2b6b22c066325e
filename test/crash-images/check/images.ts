// Goes through a record once, from its beginning to its end, and stops at the moments that were drawn: builds an image there
// and has it checked.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Random, seededRandom } from '../../chaos/random.ts';
import { DiskModel, type NameRule } from '../disk/disk-model.ts';
import { drawImage, loseSyncedPage, wholeImage, writeImage } from '../disk/image.ts';
import type { NodeRecord, Recording } from '../record/record.ts';
import { type History, type Operation, readHistory } from '../trace/operations.ts';
import { turnsOnDisk } from '../trace/turns.ts';
import type { Verdict } from './check-image.ts';
import { type Claims, type ImageToOpen, listenToAnswers, listenToPeers } from './claims.ts';
import { type Ended, OpenerProcess } from './opener-process.ts';
import { checkOrder, type OrderResult } from './order.ts';

export interface ImagesOptions {
  readonly recording: Recording;
  readonly seed: number;
  readonly images: number;
  /** The program of the processes that open them, and how many there are. */
  readonly opener: string;
  readonly workers: number;
  readonly only: number | undefined;
  readonly names: NameRule;
  /** Takes pages that were synced as well: the check must notice. */
  readonly dropSynced: boolean;
  /** Where the directories are made; there are as many at a time as workers. */
  readonly folder: string;
}

export interface ImageResult {
  readonly image: number;
  readonly place: number;
  readonly lost: { readonly pages: number; readonly names: number };
  readonly outcome: Verdict | Ended;
}

interface Moment {
  readonly image: number;
  readonly place: number;
  readonly random: Random;
}

/** A directory that was made, and what is known of it. */
interface Made extends ImageToOpen {
  readonly image: number;
  readonly lost: ImageResult['lost'];
  readonly directory: string;
}

/** Node by node: what the record alone shows, and then the images. */
export async function checkImages(
  options: ImagesOptions,
  onResult: (result: ImageResult) => void,
  onOrder: (result: OrderResult) => void,
): Promise<void> {
  const { recording, only } = options;
  const { nodes } = recording;
  for (const [at, node] of nodes.entries()) {
    const isAlone = nodes.length === 1;
    const peers = listenToPeers(recording, node);
    const listener = isAlone ? listenToAnswers(recording, node) : peers;
    const history = readHistory(node.root, node.runs, (sent) => listener.hear(sent));
    if (!isAlone) {
      const nameOf = (address: string) => nodes.find(({ peer }) => peer === address)?.id;
      onOrder(checkOrder(node.id, peers.said, turnsOnDisk(history), nameOf));
    }
    const moments = drawMoments(options, history).filter(
      ({ image }) => image % nodes.length === at && (only === undefined || image === only),
    );
    await openAll(options, listener.claims, make(options, node, history, moments), onResult);
  }
}

/** Each process takes the next image when it is done with one. */
async function openAll(
  { opener, workers, only }: ImagesOptions,
  claims: Claims,
  images: Generator<Made>,
  onResult: (result: ImageResult) => void,
): Promise<void> {
  const processes = Array.from({ length: workers }, () => new OpenerProcess(opener, claims));
  const open = async (process: OpenerProcess): Promise<void> => {
    for (const made of images) {
      const { image, place, lost, directory } = made;
      onResult({ image, place, lost, outcome: await process.open(made) });
      if (only === undefined) rmSync(directory, { recursive: true, force: true });
      else console.log(`image ${image}: ${directory} (opened since; made from place ${place})`);
    }
  };
  try {
    await Promise.all(processes.map(open));
  } finally {
    await Promise.all(processes.map((process) => process.end()));
  }
}

function* make(
  { names, dropSynced, folder }: ImagesOptions,
  node: NodeRecord,
  history: History,
  moments: readonly Moment[],
): Generator<Made> {
  const disk = new DiskModel(names);
  const walker = new Walker(disk, history.operations);
  let runs = 0;
  const compareUpTo = (place: number): void => {
    for (let end = history.runEnds[runs]; end !== undefined && end < place; end = history.runEnds[runs]) {
      walker.goTo(end + 0.5);
      compareWithLeft(disk, node, runs++);
    }
  };
  for (const { image, place, random } of moments) {
    compareUpTo(place);
    walker.goTo(place);
    const drawn = drawImage(disk, names, random);
    const directory = mkdtempSync(join(folder, 'image-'));
    const volume = join(directory, 'volume');
    writeImage(dropSynced ? loseSyncedPage(drawn.names, disk, random) : drawn.names, volume);
    yield { image, place, lost: drawn.lost, directory, dataDir: join(volume, node.dataDir), atMs: walker.atMs };
  }
  compareUpTo(Number.POSITIVE_INFINITY);
}

/** Half of the moments anywhere, half where names change: there everything hangs on few operations. */
function drawMoments({ seed, images }: ImagesOptions, { operations, runEnds }: History): Moment[] {
  const last = runEnds.at(-1) ?? 0;
  const changes = operations.filter(({ action }) => !['write', 'sync'].includes(action.kind));
  const moments = Array.from({ length: images }, (_, image): Moment => {
    const random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(image + 1, 0x85ebca6b));
    const place = random.chance(0.5) ? random.below(last) : random.pick(changes).begin - 5 + random.below(40);
    return { image, place: Math.min(last, Math.max(0, place)), random };
  });
  return moments.sort((a, b) => a.place - b.place);
}

/** Plays operations on a disk, each at the two places where it begins and ends. */
class Walker {
  readonly #disk: DiskModel;
  readonly #begins: readonly Operation[];
  readonly #ends: readonly Operation[];
  #begun = 0;
  #ended = 0;
  /** Wall time of the last operation that was begun. */
  atMs = 0;

  constructor(disk: DiskModel, operations: readonly Operation[]) {
    this.#disk = disk;
    this.#begins = operations;
    this.#ends = [...operations].sort((a, b) => a.end - b.end);
  }

  /** Everything that stands before this place has happened. */
  goTo(place: number): void {
    for (;;) {
      const begin = this.#begins[this.#begun];
      const end = this.#ends[this.#ended];
      if (end !== undefined && end.end < place && (begin === undefined || end.end < begin.begin)) {
        this.#disk.end(end);
        this.#ended++;
      } else if (begin !== undefined && begin.begin < place) {
        this.#disk.begin(begin);
        this.atMs = begin.atMs;
        this.#begun++;
      } else return;
    }
  }
}

/** The model of the disk and the real one must agree to the byte wherever a process was gone. */
function compareWithLeft(disk: DiskModel, { runs }: NodeRecord, run: number): void {
  const whole = wholeImage(disk);
  for (const { path, digest } of runs[run]?.left ?? []) {
    const content = whole.get(path);
    const ours =
      content === undefined || content === 'directory' ? '' : createHash('sha1').update(content).digest('hex');
    if (content === undefined || ours !== digest)
      throw new Error(`run ${run} left another ${path} than the record says`);
  }
}
