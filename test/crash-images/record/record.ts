// Records a node on its own: under load, killed and started again, from an empty directory to its end.

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

export interface Recording {
  /** The data directory, as its node named it. */
  readonly root: string;
  readonly id: string;
  readonly members: readonly string[];
  /** Of the API. */
  readonly api: string;
  readonly runs: readonly { readonly trace: string; readonly left: readonly FileLeft[] }[];
  readonly facts: Facts;
  readonly endedAtMs: number;
}

export interface RecordOptions {
  /** Where the record goes. */
  readonly folder: string;
  readonly seconds: number;
  readonly seed: number;
  readonly maxMessages: number;
}

const startMs = 60_000;

export async function record({ folder, seconds, seed, maxMessages }: RecordOptions): Promise<Recording> {
  const random = seededRandom(seed);
  // As a volume is there before its node: what its own name hangs on lies outside of it.
  const root = resolve(folder, 'data');
  mkdirSync(root, { recursive: true });
  const [port = 0] = await freePorts(1);
  const api = `http://127.0.0.1:${port}`;
  const facts: Facts = { topic: 'reminders', groups: ['mailer', 'ledger'], messages: {}, receipts: {}, ackAskedMs: {} };
  let over = false;
  const load = runLoad({ api: () => api, random, facts, maxMessages, stopping: () => over });
  const runs: { trace: string; left: readonly FileLeft[] }[] = [];
  const until = Date.now() + seconds * 1_000;
  try {
    while (Date.now() < until || runs.length === 0) {
      const trace = resolve(folder, `run-${runs.length}.strace`);
      const node = new TracedProcess(
        [command, 'start', '--data-dir', root, '--listen', `127.0.0.1:${port}`],
        trace,
        join(folder, 'node.log'),
      );
      await serving(node, api);
      await someTime(node, random, until);
      // One run in four ends as an operator ends it; the others as nobody would.
      await node.end(runs.length % 4 === 3 ? 'SIGTERM' : 'SIGKILL');
      runs.push({ trace, left: filesLeft(root) });
    }
  } finally {
    over = true;
    await load;
  }
  const recording = { root, id: 'n1', members: ['n1'], api: `127.0.0.1:${port}`, runs, facts, endedAtMs: Date.now() };
  writeFileSync(join(folder, 'recording.json'), JSON.stringify(recording));
  return recording;
}

export function readRecording(folder: string): Recording {
  return JSON.parse(readFileSync(join(folder, 'recording.json'), 'utf8')) as Recording;
}

async function serving(node: TracedProcess, api: string): Promise<void> {
  const end = performance.now() + startMs;
  while (performance.now() < end) {
    if (node.ended) throw new Error('the node that is recorded ended by itself');
    try {
      const response = await fetch(`${api}/v1/cluster`, { signal: AbortSignal.timeout(1_000) });
      if (((await response.json()) as { readonly serving?: boolean }).serving === true) return;
    } catch {
      // Not yet.
    }
    await new Promise((next) => setTimeout(next, 20));
  }
  throw new Error(`the node does not serve within ${startMs} ms`);
}

/** Runs of different lengths: some end while the log is young, some after it was switched. */
async function someTime(node: TracedProcess, random: Random, until: number): Promise<void> {
  const end = Math.min(until, Date.now() + (random.chance(0.4) ? random.below(1_500) : 2_000 + random.below(8_000)));
  while (Date.now() < end && !node.ended) await new Promise((next) => setTimeout(next, 10));
  if (node.ended) throw new Error('the node that is recorded ended by itself');
}

function filesLeft(root: string, below = ''): FileLeft[] {
  return readdirSync(join(root, below), { withFileTypes: true }).flatMap((entry): FileLeft[] => {
    const path = join(below, entry.name);
    if (entry.isDirectory()) return [{ path, bytes: -1, digest: '' }, ...filesLeft(root, path)];
    const digest = createHash('sha1')
      .update(readFileSync(join(root, path)))
      .digest('hex');
    return [{ path, bytes: statSync(join(root, path)).size, digest }];
  });
}
