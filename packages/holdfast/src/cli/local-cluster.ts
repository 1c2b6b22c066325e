// Three node processes on this machine: started, watched, killed, started again, stopped. They end with this process,
// whatever ends it: each has an IPC channel to it, and stops when the channel closes (start.ts).
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError } from './command-error.ts';

const command = fileURLToPath(new URL('./main.js', import.meta.url));
const readyMs = 60_000;
const lookMs = 20;
/** One look at a node; a node that starts or is stuck must not hold up the others. */
const answerMs = 1_000;
/** Longer than a node takes at most to stop by itself. */
const stopMs = 30_000;

export interface LocalNode {
  readonly id: string;
  readonly api: string;
  readonly peer: string;
  readonly logFile: string;
}

export interface LocalClusterOptions {
  /** Holds a directory and a log file for each node. */
  readonly folder: string;
  /** Three for the API, then three for the peers. */
  readonly ports: readonly number[];
  /** Logs go to the terminal, for people, and not to files. */
  readonly verbose: boolean;
  /** A process ended that nobody had asked to. */
  readonly onLost: (id: string, how: string) => void;
}

const ids = ['n1', 'n2', 'n3'] as const;

export class LocalCluster {
  readonly nodes: readonly LocalNode[];
  readonly #options: LocalClusterOptions;
  readonly #running = new Map<string, ChildProcess>();
  /** They said that they listen: before that, a stranger may answer at their addresses. */
  readonly #started = new Set<ChildProcess>();
  readonly #expected = new Set<ChildProcess>();

  constructor(options: LocalClusterOptions) {
    this.#options = options;
    this.nodes = ids.map((id, at) => ({
      id,
      api: `http://127.0.0.1:${options.ports[at]}`,
      peer: `127.0.0.1:${options.ports[at + ids.length]}`,
      logFile: join(options.folder, `${id}.log`),
    }));
  }

  pid(id: string): number | undefined {
    return this.#running.get(id)?.pid;
  }

  get running(): number {
    return this.#running.size;
  }

  start(id: string): void {
    const { folder, verbose } = this.#options;
    const { api, peer, logFile } = this.node(id);
    mkdirSync(folder, { recursive: true });
    const log = verbose ? 'inherit' : openSync(logFile, 'a');
    const settings = [
      `--id=${id}`,
      `--data-dir=${join(folder, id)}`,
      `--listen=${new URL(api).host}`,
      `--peer-listen=${peer}`,
      `--peers=${this.#peers()}`,
      `--pretty=${verbose}`,
    ];
    const child = spawn(process.execPath, [command, 'start', ...settings], {
      stdio: ['ignore', log, log, 'ipc'],
      // glibc keeps an arena a thread, and gives little of it back: a seventh of a node's memory. See packages/server/Dockerfile.
      env: { MALLOC_ARENA_MAX: '1', ...process.env },
    });
    if (typeof log === 'number') closeSync(log);
    this.#running.set(id, child);
    child.once('message', () => this.#started.add(child));
    child.once('error', (error) => this.#ended(id, child, error.message));
    child.once('exit', (code, signal) => this.#ended(id, child, signal ?? `exit code ${code}`));
  }

  startAll(): void {
    for (const { id } of this.nodes) this.start(id);
  }

  /** `kill -9`: nothing is said to it, and nothing is written by it. Resolves when the process is gone. */
  async kill(id: string): Promise<void> {
    await this.#end(id, 'SIGKILL');
  }

  /** SIGTERM to all of them; resolves when all are gone. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ id }) => this.#end(id, 'SIGTERM')));
  }

  /** @throws CommandError with the end of its log when it ended, or did not serve in time */
  async ready(id: string): Promise<void> {
    const { api } = this.node(id);
    await this.#until(`${id} is ready`, async () => {
      const child = this.#running.get(id);
      if (child === undefined) throw new CommandError(`${id} has ended.\n${this.#logEnd(id)}`);
      return this.#started.has(child) && (await look(`${api}/readyz`))?.ok;
    });
  }

  /** The id of the node that leads and serves, once there is one. */
  leader(): Promise<string> {
    return this.#until('a leader serves', async () => {
      const seen = await Promise.all(
        this.nodes.map(async ({ id }) => ((await this.seenBy(id))?.serving ? id : undefined)),
      );
      return seen.find((id) => id !== undefined);
    });
  }

  /** It runs again, and has applied what was committed when this was asked. */
  async caughtUp(id: string): Promise<void> {
    const commit = (await this.seenBy(await this.leader()))?.commit ?? 0;
    await this.ready(id);
    await this.#until(`${id} has applied entry ${commit}`, async () => {
      const seen = await this.seenBy(id);
      return seen !== undefined && seen.applied >= commit ? seen : undefined;
    });
  }

  async seenBy(id: string): Promise<Seen | undefined> {
    if (this.pid(id) === undefined) return undefined;
    const answer = await look(`${this.node(id).api}/v1/cluster`);
    return answer?.ok === true ? seenIn(answer.body) : undefined;
  }

  node(id: string): LocalNode {
    const node = this.nodes.find((candidate) => candidate.id === id);
    if (node === undefined) throw new RangeError(`There is no node ${id}.`);
    return node;
  }

  #peers(): string {
    return this.nodes.map(({ id, peer, api }) => `${id}=${peer}/${new URL(api).host}`).join(',');
  }

  #ended(id: string, child: ChildProcess, how: string): void {
    if (this.#running.get(id) !== child) return;
    this.#running.delete(id);
    if (!this.#expected.has(child)) this.#options.onLost(id, how);
  }

  async #end(id: string, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#running.get(id);
    if (child === undefined) return;
    this.#expected.add(child);
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
    await gone;
    clearTimeout(timer);
  }

  async #until<T>(what: string, holds: () => Promise<T | undefined | false>): Promise<T> {
    const endsAtMs = performance.now() + readyMs;
    for (;;) {
      const seen = await holds();
      if (seen !== undefined && seen !== false) return seen;
      if (performance.now() > endsAtMs)
        throw new CommandError(`Not within ${readyMs / 1_000} s: ${what}.${this.#logEnds()}`);
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  }

  #logEnds(): string {
    return this.nodes.map(({ id }) => `\n${this.#logEnd(id)}`).join('');
  }

  #logEnd(id: string): string {
    if (this.#options.verbose) return '';
    const { logFile } = this.node(id);
    const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-3);
    return `The end of ${logFile}:\n  ${lines.join('\n  ')}`;
  }
}

export interface Seen {
  readonly serving: boolean;
  readonly commit: number;
  readonly applied: number;
}

async function look(url: string): Promise<{ readonly ok: boolean; readonly body: unknown } | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMs) });
    return { ok: response.ok, body: await response.json() };
  } catch {
    return undefined;
  }
}

function seenIn(body: unknown): Seen | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { serving, commit, applied }: { serving?: unknown; commit?: unknown; applied?: unknown } = body;
  return typeof serving === 'boolean' && typeof commit === 'number' && typeof applied === 'number'
    ? { serving, commit, applied }
    : undefined;
}
