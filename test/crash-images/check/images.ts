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
import { checkOrder, type OrderResult } from './order.ts';
import { clientWitness, peerWitness, type Witness } from './witness.ts';

export interface ImagesOptions {
  readonly recording: Recording;
  readonly seed: number;
  readonly images: number;
  /** Images of this remainder, so that several processes share the work. */
  readonly share: { readonly of: number; readonly at: number };
  readonly only: number | undefined;
  readonly names: NameRule;
  /** Takes pages that were synced as well: the check must notice. */
  readonly dropSynced: boolean;
  /** Where the directories are made, one after the other. */
  readonly folder: string;
}

export interface ImageResult {
  readonly image: number;
  readonly place: number;
  readonly lost: { readonly pages: number; readonly names: number };
  readonly verdict: Verdict;
}

interface Moment {
  readonly image: number;
  readonly place: number;
  readonly random: Random;
}

/** What the record of one node alone shows, and then its share of the images. */
export async function checkImages(
  options: ImagesOptions,
  onResult: (result: ImageResult) => void,
  onOrder: (result: OrderResult) => void,
): Promise<void> {
  const { recording, share } = options;
  for (const [at, node] of recording.nodes.entries()) {
    const isAlone = recording.nodes.length === 1;
    const peers = peerWitness(recording, node.id);
    const witness = isAlone ? clientWitness(recording, node.id, node.api) : peers;
    const history = readHistory(node.root, node.runs, (sent) => witness.hear(sent));
    if (!isAlone && share.at === 0) {
      const nameOf = (address: string) => recording.nodes.find(({ peer }) => peer === address)?.id;
      onOrder(checkOrder(node.id, peers.said, turnsOnDisk(history), nameOf));
    }
    const moments = drawMoments(options, history).filter(
      ({ image }) => image % recording.nodes.length === at && isShared(options, image),
    );
    await goThrough(options, node, witness, history, moments, onResult);
  }
}

function isShared({ only, share, recording }: ImagesOptions, image: number): boolean {
  return only === undefined ? Math.floor(image / recording.nodes.length) % share.of === share.at : image === only;
}

async function goThrough(
  options: ImagesOptions,
  node: NodeRecord,
  witness: Witness,
  history: History,
  moments: readonly Moment[],
  onResult: (result: ImageResult) => void,
): Promise<void> {
  const disk = new DiskModel(options.names);
  const walker = new Walker(disk, history.operations);
  let runs = 0;
  const compareUpTo = (place: number): void => {
    for (let end = history.runEnds[runs]; end !== undefined && end < place; end = history.runEnds[runs]) {
      walker.goTo(end + 0.5);
      compareWithLeft(disk, node, runs++);
    }
  };
  for (const moment of moments) {
    compareUpTo(moment.place);
    walker.goTo(moment.place);
    onResult(await checkMoment(options, node, disk, moment, witness, walker.atMs));
  }
  compareUpTo(Number.POSITIVE_INFINITY);
}

async function checkMoment(
  { names, dropSynced, folder, only }: ImagesOptions,
  { dataDir }: NodeRecord,
  disk: DiskModel,
  { image, place, random }: Moment,
  witness: Witness,
  atMs: number,
): Promise<ImageResult> {
  const drawn = drawImage(disk, names, random);
  const directory = join(mkdtempSync(join(folder, 'image-')), 'volume');
  try {
    writeImage(dropSynced ? loseSyncedPage(drawn.names, disk, random) : drawn.names, directory);
    return { image, place, lost: drawn.lost, verdict: await witness.check(join(directory, dataDir), place, atMs) };
  } finally {
    if (only === undefined) rmSync(join(directory, '..'), { recursive: true, force: true });
    else console.log(`image ${image}: ${directory} (opened since; made from place ${place})`);
  }
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
