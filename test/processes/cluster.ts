// Real node processes on loopback: started as a user starts them, killed by their id, looked at through their API.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from './addresses.ts';

const top = fileURLToPath(new URL(import.meta.url.includes('/dist/') ? '../../../' : '../../', import.meta.url));

/** `first`: an old one, from which a node is upgraded (test/fixtures/first-build). `future`: see test/fixtures/future.ts. */
export type Build = 'present' | 'first' | 'future';
/** Where the command of each is. */
export const commands: Readonly<Record<Build, string>> = {
  present: join(top, 'packages/holdfast/dist/cli/main.js'),
  first: join(top, 'test/fixtures/first-build/command.js'),
  future: join(top, 'test/dist/future/command.js'),
};

export interface ClusterSeen {
  readonly id: string;
  readonly role: string;
  readonly serving: boolean;
  readonly term: number;
  readonly leader?: string;
  readonly commit: number;
  readonly applied: number;
  readonly stateHash: string;
}

export interface ClusterOptions {
  readonly nodes: number;
  /** Further names, with addresses of their own, that found nothing: nodes that join later have them. */
  readonly spares?: number;
  /** Where node `from` reaches the peer port of node `to`; the real address unless a proxy stands between. */
  readonly peerAddress?: (from: string, to: string, real: string) => string;
  /** Further flags of `holdfast start`, for the present build. */
  readonly flags?: readonly string[];
  /** Told of a process that ended, and that nobody had told to end. `how`: a signal or an exit code. */
  readonly onEndedByItself?: (id: string, how: string) => void;
}

interface Member {
  readonly id: string;
  readonly api: string;
  readonly peer: string;
  /** It is no member just now, and is not started with the others. */
  isSpare: boolean;
  /** It founds nothing: it waits to be taken in, or was taken in before. */
  joins: boolean;
  child: ChildProcess | undefined;
  /** The process that runs was told to end, or may do so for another reason. */
  mayEnd: boolean;
}

export class ProcessCluster {
  readonly folder: string;
  readonly #members: readonly Member[];
  readonly #options: ClusterOptions;

  private constructor(folder: string, members: readonly Member[], options: ClusterOptions) {
    this.folder = folder;
    this.#members = members;
    this.#options = options;
  }

  /** Addresses are drawn, nothing is started yet. */
  static async create(options: ClusterOptions): Promise<ProcessCluster> {
    const count = options.nodes + (options.spares ?? 0);
    const ports = await freePorts(count * 2);
    const members = Array.from({ length: count }, (_, at) => ({
      id: `n${at + 1}`,
      api: `http://127.0.0.1:${ports[2 * at]}`,
      peer: `127.0.0.1:${ports[2 * at + 1]}`,
      isSpare: at >= options.nodes,
      joins: at >= options.nodes,
      child: undefined,
      mayEnd: false,
    }));
    return new ProcessCluster(mkdtempSync(join(tmpdir(), 'holdfast-')), members, options);
  }

  /** Spares among them. */
  get ids(): readonly string[] {
    return this.#members.map(({ id }) => id);
  }
  get members(): readonly string[] {
    return this.#members.flatMap(({ id, isSpare }) => (isSpare ? [] : [id]));
  }
  get spares(): readonly string[] {
    return this.#members.flatMap(({ id, isSpare }) => (isSpare ? [id] : []));
  }
  becomeMember(id: string): void {
    this.#member(id).isSpare = false;
  }
  /** What it had is of no use to anybody. */
  becomeSpare(id: string): void {
    const member = this.#member(id);
    if (member.child !== undefined) throw new Error(`${id} still runs`);
    member.isSpare = true;
    rmSync(this.dataFolder(id), { recursive: true, force: true });
  }
  /** A cluster that is founded finds its members by what stands in their directories; spares are then named as well. */
  joinFromNowOn(): void {
    for (const member of this.#members) member.joins = true;
  }
  get apis(): readonly string[] {
    return this.#members.map(({ api }) => api);
  }
  api(id: string): string {
    return this.#member(id).api;
  }
  peer(id: string): string {
    return this.#member(id).peer;
  }
  pids(): readonly number[] {
    return this.#members.flatMap(({ child }) => (child?.pid === undefined ? [] : [child.pid]));
  }
  dataFolder(id: string): string {
    return join(this.folder, id);
  }
  log(id: string): string {
    const path = join(this.folder, `${id}.log`);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** On its directory, by this build. The first one does not know all flags of the present one. */
  start(id: string, build: Build = 'present'): void {
    const member = this.#member(id);
    if (member.child !== undefined) throw new Error(`${id} runs already`);
    mkdirSync(this.dataFolder(id), { recursive: true });
    const seenBy = this.#options.peerAddress ?? ((_from, _to, real) => real);
    const named = this.#members.filter((to) => member.joins || !to.joins);
    const peers = named
      .map((to) => `${to.id}=${to.id === id ? to.peer : seenBy(id, to.id, to.peer)}/${new URL(to.api).host}`)
      .join(',');
    const flags = [
      'start',
      '--id',
      id,
      '--data-dir',
      this.dataFolder(id),
      '--listen',
      new URL(member.api).host,
      '--peer-listen',
      member.peer,
      '--peers',
      peers,
      ...(member.joins ? ['--join'] : []),
      ...(build === 'present' ? (this.#options.flags ?? []) : []),
    ];
    const log = openSync(join(this.folder, `${id}.log`), 'a');
    const child = spawn(process.execPath, [commands[build], ...flags], {
      stdio: ['ignore', log, log],
      // As `holdfast cluster` and the Dockerfile do.
      env: { MALLOC_ARENA_MAX: '1', ...process.env },
    });
    member.child = child;
    member.mayEnd = false;
    child.once('exit', (code, signal) => {
      if (member.child !== child) return;
      member.child = undefined;
      if (!member.mayEnd) this.#options.onEndedByItself?.(id, signal ?? `exit code ${code}`);
    });
  }

  startAll(build: Build = 'present'): void {
    for (const { id, child, isSpare } of this.#members) if (child === undefined && !isSpare) this.start(id, build);
  }

  running(id: string): boolean {
    return this.#member(id).child !== undefined;
  }

  /** Resolves when the process is gone (SIGKILL, SIGTERM), or at once (SIGSTOP, SIGCONT). */
  async signal(id: string, signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const member = this.#member(id);
    const { child } = member;
    if (child === undefined) return;
    const ends = signal === 'SIGKILL' || signal === 'SIGTERM';
    const gone = ends ? new Promise<void>((resolve) => child.once('exit', () => resolve())) : undefined;
    if (ends) member.mayEnd = true;
    child.kill(signal);
    await gone;
  }

  /** It is about to be removed, and stops by itself when it learns of that. */
  mayEnd(id: string): void {
    this.#member(id).mayEnd = true;
  }

  /** What a node says of the cluster; undefined when it does not answer in time. */
  async seenBy(id: string, withinMs = 1_000): Promise<ClusterSeen | undefined> {
    try {
      const response = await fetch(`${this.api(id)}/v1/cluster`, { signal: AbortSignal.timeout(withinMs) });
      return response.ok ? ((await response.json()) as ClusterSeen) : undefined;
    } catch {
      return undefined;
    }
  }

  /** The node that serves, once there is one. */
  async leader(withinMs = 20_000): Promise<string> {
    return await this.until(`a leader serves`, withinMs, async () => {
      for (const id of this.ids) if (this.running(id) && (await this.seenBy(id))?.serving === true) return id;
      return undefined;
    });
  }

  /** Every running node has applied what the leader had committed when this was asked. */
  async caughtUp(withinMs = 60_000): Promise<void> {
    const commit = (await this.seenBy(await this.leader()))?.commit ?? 0;
    await this.until(`every node has applied ${commit}`, withinMs, async () => {
      for (const id of this.ids)
        if (this.running(id) && ((await this.seenBy(id))?.applied ?? 0) < commit) return undefined;
      return true;
    });
  }

  /** Waits for a condition. @throws with the ends of the logs when it does not come */
  async until<T>(what: string, withinMs: number, look: () => Promise<T | undefined>): Promise<T> {
    const end = performance.now() + withinMs;
    for (;;) {
      const seen = await look();
      if (seen !== undefined) return seen;
      if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}\n${this.#logEnds()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Copies what the nodes said; `close` removes it. */
  keepLogs(folder: string): void {
    mkdirSync(folder, { recursive: true });
    for (const id of this.ids) writeFileSync(join(folder, `${id}.log`), this.log(id));
  }

  /** Ends every process and removes every file. */
  async close(): Promise<void> {
    await Promise.all(this.ids.map((id) => this.signal(id, 'SIGKILL')));
    rmSync(this.folder, { recursive: true, force: true });
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #logEnds(): string {
    return this.ids.map((id) => `--- ${id}\n${this.log(id).split('\n').slice(-12).join('\n')}`).join('\n');
  }

  #member(id: string): Member {
    const member = this.#members.find((candidate) => candidate.id === id);
    if (member === undefined) throw new Error(`no node ${id}`);
    return member;
  }
}
