// Records nodes under load, killed and started again, from their empty directories to their end.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Random, seededRandom } from '../../chaos/random.ts';
import { freePorts } from '../../processes/addresses.ts';
import type { FileSeen } from '../trace/operations.ts';
import { type Facts, runLoad } from './load.ts';
import { TracedProcess } from './strace.ts';

const top = fileURLToPath(new URL(import.meta.url.includes('/dist/') ? '../../../../' : '../../../', import.meta.url));
const command = join(top, 'packages/holdfast/dist/cli/main.js');

/** A file as it was left; `digest` is empty for a directory. */
export interface FileLeft extends FileSeen {
  readonly digest: string;
}

export interface NodeRecord {
  readonly id: string;
  /** Addresses, as host:port. */
  readonly api: string;
  readonly peer: string;
  /** What is there before the node, as a volume is: all that happens in it is recorded. */
  readonly root: string;
  /** The data directory, below it: the node makes every folder on the way. */
  readonly dataDir: string;
  readonly runs: readonly { readonly trace: string; readonly left: readonly FileLeft[] }[];
}

export interface Recording {
  readonly nodes: readonly NodeRecord[];
  readonly facts: Facts;
}

export interface RecordOptions {
  /** Where the record goes. */
  readonly folder: string;
  readonly nodes: number;
  readonly seconds: number;
  readonly seed: number;
  readonly maxMessages: number;
}

const startMs = 120_000;
/** Two folders that the node has to make, and whose names power loss may take. */
const dataDir = 'holdfast/data';

export async function record(options: RecordOptions): Promise<Recording> {
  const { folder, seconds, seed, maxMessages } = options;
  const random = seededRandom(seed);
  const nodes = await place(folder, options.nodes);
  const facts: Facts = { topic: 'reminders', groups: ['mailer', 'ledger'], messages: {}, receipts: {}, ackAskedMs: {} };
  let over = false;
  for (const node of nodes) node.start();
  await serving(nodes);
  const api = () => `http://${random.pick(nodes).api}`;
  const load = runLoad({ api, random, facts, maxMessages, stopping: () => over });
  const until = Date.now() + seconds * 1_000;
  try {
    for (let ended = 1; Date.now() < until; ended++) {
      await someTime(nodes, random, until);
      if (Date.now() >= until) break;
      const node = random.pick(nodes);
      // One in four ends as an operator ends it; the others as nobody would.
      await node.end(ended % 4 === 0 ? 'SIGTERM' : 'SIGKILL');
      node.start();
      if (nodes.length === 1) await serving(nodes);
    }
  } finally {
    await Promise.all(nodes.map((node) => node.end('SIGKILL')));
    over = true;
    await load;
  }
  const recording = { nodes: nodes.map((node) => node.record()), facts };
  writeFileSync(join(folder, 'recording.json'), JSON.stringify(recording));
  return recording;
}

export function readRecording(folder: string): Recording {
  return JSON.parse(readFileSync(join(folder, 'recording.json'), 'utf8')) as Recording;
}

async function place(folder: string, count: number): Promise<readonly RecordedNode[]> {
  const ports = await freePorts(2 * count);
  const addresses = Array.from({ length: count }, (_, at) => ({
    id: `n${at + 1}`,
    api: `127.0.0.1:${ports[2 * at]}`,
    peer: `127.0.0.1:${ports[2 * at + 1]}`,
  }));
  const peers = addresses.map(({ id, api, peer }) => `${id}=${peer}/${api}`).join(',');
  return addresses.map(
    (address) => new RecordedNode(address, resolve(folder, address.id), count === 1 ? [] : ['--peers', peers]),
  );
}

class RecordedNode {
  readonly api: string;
  readonly #address: { readonly id: string; readonly api: string; readonly peer: string };
  readonly #folder: string;
  readonly #root: string;
  readonly #flags: readonly string[];
  readonly #runs: { trace: string; left: readonly FileLeft[] }[] = [];
  #process: TracedProcess | undefined;

  constructor(address: { id: string; api: string; peer: string }, folder: string, flags: readonly string[]) {
    const { id, api, peer } = address;
    this.api = api;
    this.#address = address;
    this.#folder = folder;
    this.#root = join(folder, 'volume');
    mkdirSync(this.#root, { recursive: true });
    this.#flags = [
      'start',
      '--id',
      id,
      '--data-dir',
      join(this.#root, dataDir),
      '--listen',
      api,
      '--peer-listen',
      peer,
      ...flags,
    ];
  }

  get running(): boolean {
    return this.#process?.ended === false;
  }

  start(): void {
    const log = join(this.#folder, 'node.log');
    this.#process = new TracedProcess([command, ...this.#flags], this.#trace(), log);
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.#process?.end(signal);
    this.#runs.push({ trace: this.#trace(), left: filesLeft(this.#root) });
  }

  record(): NodeRecord {
    return { ...this.#address, root: this.#root, dataDir, runs: this.#runs };
  }

  #trace(): string {
    return join(this.#folder, `run-${this.#runs.length}.strace`);
  }
}

/** Resolves when one of them leads and answers. */
async function serving(nodes: readonly RecordedNode[]): Promise<void> {
  const end = performance.now() + startMs;
  while (performance.now() < end) {
    for (const node of nodes) {
      if (!node.running) throw new Error('a node that is recorded ended by itself');
      try {
        const response = await fetch(`http://${node.api}/v1/cluster`, { signal: AbortSignal.timeout(1_000) });
        if (((await response.json()) as { readonly serving?: boolean }).serving === true) return;
      } catch {
        // Not yet.
      }
    }
    await new Promise((next) => setTimeout(next, 20));
  }
  throw new Error(`nobody serves within ${startMs} ms`);
}

/** Runs of different lengths: some end while the log is young, some after it was switched. */
async function someTime(nodes: readonly RecordedNode[], random: Random, until: number): Promise<void> {
  const end = Math.min(until, Date.now() + (random.chance(0.4) ? random.below(1_500) : 2_000 + random.below(8_000)));
  while (Date.now() < end) {
    if (nodes.some((node) => !node.running)) throw new Error('a node that is recorded ended by itself');
    await new Promise((next) => setTimeout(next, 10));
  }
}

export function filesLeft(root: string, below = ''): FileLeft[] {
  return readdirSync(join(root, below), { withFileTypes: true }).flatMap((entry): FileLeft[] => {
    const path = join(below, entry.name);
    if (entry.isDirectory()) return [{ path, bytes: -1, digest: '' }, ...filesLeft(root, path)];
    const digest = createHash('sha1')
      .update(readFileSync(join(root, path)))
      .digest('hex');
    return [{ path, bytes: statSync(join(root, path)).size, digest }];
  });
}
