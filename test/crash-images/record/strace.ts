// A node process whose system calls are written down by strace, in the order in which they happened: strace holds each
// thread at the entry and at the exit of a call, so a call that follows from another one stands after it in the record.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Everything by which a process can change a file or say something; the reader of the record refuses what it does not know. */
const calls = [
  'openat,open,creat,close,dup,dup2,dup3',
  'write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendfile,splice,copy_file_range',
  'ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range,msync,mmap',
  'rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,mkdir,mkdirat,rmdir',
].join(',');

/** Not a package of ours: apt-get install strace. */
const program = 'strace';

/** Longer than any write: a batch is at most some megabytes. */
const maxStringBytes = 64 * 2 ** 20;

const flags = (output: string): string[] => {
  const how = ['-f', '-ttt', '-yy', '-xx', '--seccomp-bpf', '-s', String(maxStringBytes), '-e', 'signal=none'];
  return [...how, '-e', `trace=${calls}`, '-o', output];
};

/** @returns undefined when a process can be traced here, otherwise the reason why not, as a sentence */
export function whyNoStrace(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-strace-'));
  try {
    const output = join(folder, 'try');
    const tried = spawnSync(program, [...flags(output), '--', process.execPath, '--version'], { encoding: 'utf8' });
    if (tried.error !== undefined) return 'strace is not installed (apt-get install strace).';
    if (tried.status !== 0) return `strace may not trace a process here: ${tried.stderr.trim().split('\n')[0] ?? ''}.`;
    return readFileSync(output, 'latin1').includes('openat(') ? undefined : 'strace writes nothing down here.';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export class TracedProcess {
  readonly #strace: ChildProcess;
  readonly #gone: Promise<unknown>;

  /** @param output the record; @param log where its standard output goes */
  constructor(command: readonly string[], output: string, log: string) {
    const file = openSync(log, 'a');
    this.#strace = spawn(program, [...flags(output), '--', process.execPath, ...command], {
      stdio: ['ignore', file, file],
      // File calls of Node must be system calls of their own to be seen.
      env: { ...process.env, MALLOC_ARENA_MAX: '1', UV_USE_IO_URING: '0' },
    });
    this.#gone = once(this.#strace, 'exit');
  }

  get ended(): boolean {
    return this.#strace.exitCode !== null || this.#strace.signalCode !== null;
  }

  /** Resolves when the process is gone and its record is complete. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const pid = this.#strace.pid;
    if (pid === undefined || this.ended) return;
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    if (child !== undefined && child !== '') process.kill(Number(child), signal);
    await this.#gone;
  }

  async exited(): Promise<void> {
    await this.#gone;
  }
}
