// What a node did to its directory, as operations on files and names, in the order in which it did it. The reader knows
// every call that can change a file; one that it does not know, on a file of the directory, ends the reading: a record that
// is read in part would prove nothing.
import { dirname } from 'node:path';
import { descriptorOf, lastNumberOf, stringsOf } from './arguments.ts';
import { type Call, type CallListener, readCalls } from './calls.ts';

/** A file, whatever its name: files are numbered in the order of their making. */
export type FileNumber = number;

export type Action =
  | { readonly kind: 'write'; readonly file: FileNumber; readonly offset: number; data: Buffer }
  | { readonly kind: 'truncate'; readonly file: FileNumber; readonly size: number }
  | { readonly kind: 'sync'; readonly file: FileNumber }
  | { readonly kind: 'syncDirectory'; readonly path: string }
  | { readonly kind: 'makeDirectory'; readonly path: string }
  | { readonly kind: 'create'; readonly path: string; readonly file: FileNumber }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly file: FileNumber }
  | { readonly kind: 'unlink'; readonly path: string; readonly file: FileNumber };

export interface Operation {
  readonly action: Action;
  readonly begin: number;
  /** When its process was killed within it: the end of that run. */
  end: number;
  readonly atMs: number;
}

/** Bytes that left on a socket, all of one call. */
export interface Sent {
  /** Where, as strace says it: 127.0.0.1:7401->127.0.0.1:50924. */
  readonly connection: string;
  readonly data: Buffer;
  /** They may have left as soon as the call was entered. */
  readonly begin: number;
  readonly atMs: number;
}

/** Paths are relative to the data directory; its own is ''. */
export interface FileSeen {
  readonly path: string;
  readonly bytes: number;
}

export interface RunOfRecord {
  readonly trace: string;
  /** The directory after the run, when its process was gone; a directory has -1 bytes. */
  readonly left: readonly FileSeen[];
}

export interface History {
  readonly operations: readonly Operation[];
  /** Places between which no process ran: the end of each run. */
  readonly runEnds: readonly number[];
}

/**
 * @param root the data directory, as the node named it
 * @param onSent gets what left on sockets, in order; the data is not kept
 */
export function readHistory(root: string, runs: readonly RunOfRecord[], onSent: (sent: Sent) => void): History {
  const reader = new HistoryReader(root, onSent);
  const runEnds: number[] = [];
  let place = 0;
  for (const run of runs) {
    const end = readCalls(run.trace, place, reader);
    reader.endRun(run.left, end);
    runEnds.push(end);
    place = end + 1;
  }
  return { operations: reader.operations, runEnds };
}

interface OpenFile {
  readonly path: string;
  /** undefined: a directory. */
  readonly file: FileNumber | undefined;
  position: number;
}

interface Entered {
  readonly operation?: Operation;
  /** What the descriptor in the call's result will be. */
  readonly opened?: OpenFile;
  readonly sent?: Sent;
  /** The descriptor that the call is about. */
  readonly fd?: number;
}

class HistoryReader implements CallListener {
  readonly operations: Operation[] = [];
  readonly #root: string;
  readonly #onSent: (sent: Sent) => void;
  readonly #names = new Map<string, FileNumber>();
  readonly #descriptors = new Map<number, OpenFile>();
  readonly #entered = new Map<Call, Entered>();
  #files = 0;

  constructor(root: string, onSent: (sent: Sent) => void) {
    this.#root = root;
    this.#onSent = onSent;
  }

  entered(call: Call, text: Buffer): boolean {
    const entered = this.#enter(call, text);
    if (entered === undefined) return false;
    this.#entered.set(call, entered);
    return true;
  }

  #enter(call: Call, text: Buffer): Entered | undefined {
    const { name } = call;
    if (name === 'openat' || name === 'open' || name === 'creat') return this.#open(call, text);
    if (/^(rename|unlink|link|symlink|mkdir|rmdir)/.test(name) || name === 'truncate') return this.#name(call, text);
    if (name === 'mmap') return this.#map(text);
    const named = descriptorOf(text);
    if (named === undefined) return undefined;
    const known = this.#descriptors.get(named.fd);
    if (known !== undefined) return this.#onFile(call, text, named.fd, known);
    if (name === 'close') return undefined;
    if (named.names.startsWith('TCP'))
      return name.startsWith('dup') ? undefined : { sent: sentOf(call, text, named.names) };
    if (this.#relative(named.names) !== undefined) throw unknown(call, named.names);
    return undefined;
  }

  returned(call: Call): void {
    const entered = this.#entered.get(call);
    this.#entered.delete(call);
    if (entered === undefined) return;
    const { operation, opened, sent, fd } = entered;
    const result = call.result ?? -1;
    if (operation !== undefined) operation.end = call.end;
    if (result < 0) {
      if (operation?.action.kind.startsWith('sync') === true) throw new Error('a sync of the record failed');
      if (operation !== undefined) this.#undo(operation);
      return;
    }
    if (opened !== undefined) this.#descriptors.set(result, opened);
    if (sent !== undefined) this.#onSent({ ...sent, data: sent.data.subarray(0, result) });
    if (operation?.action.kind === 'write')
      this.#wrote(operation.action, result, call.name === 'pwrite64' ? undefined : fd);
    if (call.name === 'close' && fd !== undefined) this.#descriptors.delete(fd);
  }

  /** What was under way when the process was killed was done, or not: the directory that it left says which. */
  endRun(left: readonly FileSeen[], place: number): void {
    const sizes = new Map(left.map(({ path, bytes }) => [path, bytes]));
    for (const { operation, sent } of this.#entered.values()) {
      if (sent !== undefined) this.#onSent(sent);
      if (operation?.action.kind.startsWith('sync') === true) this.#undo(operation);
      else if (operation !== undefined) operation.end = place;
      if (operation?.action.kind === 'write') this.#cut(operation.action, sizes);
      if (operation?.action.kind === 'create' && !sizes.has(operation.action.path)) this.#undo(operation);
    }
    this.#entered.clear();
    this.#descriptors.clear();
    const names = [...this.#names.keys()].sort().join();
    const seen = left
      .flatMap(({ path, bytes }) => (bytes < 0 ? [] : [path]))
      .sort()
      .join();
    if (names !== seen) throw new Error(`after a run the directory holds ${seen}, and the record says ${names}`);
  }

  #wrote(action: Extract<Action, { kind: 'write' }>, bytes: number, fd: number | undefined): void {
    action.data = action.data.subarray(0, bytes);
    const file = fd === undefined ? undefined : this.#descriptors.get(fd);
    if (file !== undefined) file.position += bytes;
  }

  #cut(action: Extract<Action, { kind: 'write' }>, sizes: ReadonlyMap<string, number>): void {
    const path = [...this.#names].find(([, file]) => file === action.file)?.[0];
    const bytes = path === undefined ? 0 : (sizes.get(path) ?? 0) - action.offset;
    action.data = action.data.subarray(0, Math.max(0, bytes));
  }

  #add(call: Call, action: Action, more: Omit<Entered, 'operation'> = {}): Entered {
    const operation: Operation = { action, begin: call.begin, end: Number.POSITIVE_INFINITY, atMs: call.atMs };
    this.operations.push(operation);
    return { operation, ...more };
  }

  #open(call: Call, text: Buffer): Entered | undefined {
    const path = this.#relative(stringsOf(text)[0]?.toString() ?? '');
    if (path === undefined) return undefined;
    const flags = text.toString('latin1', text.lastIndexOf('"'));
    const known = this.#names.get(path);
    if (call.name === 'creat' || flags.includes('O_APPEND')) throw unknown(call, path);
    if (known === undefined && flags.includes('O_CREAT')) {
      const file = ++this.#files;
      this.#names.set(path, file);
      return this.#add(call, { kind: 'create', path, file }, { opened: { path, file, position: 0 } });
    }
    const opened = { path, file: known, position: 0 };
    if (known === undefined || !flags.includes('O_TRUNC')) return { opened };
    return this.#add(call, { kind: 'truncate', file: known, size: 0 }, { opened });
  }

  #name(call: Call, text: Buffer): Entered | undefined {
    const [path, to] = stringsOf(text).map((bytes) => this.#relative(bytes.toString()));
    if (path === undefined && to === undefined) return undefined;
    if (path === undefined) throw unknown(call, to ?? '');
    if (call.name.startsWith('mkdir')) return this.#add(call, { kind: 'makeDirectory', path });
    const file = this.#names.get(path);
    // It fails: what is not there can not be named anew.
    if (file === undefined) return undefined;
    if (call.name.startsWith('unlink')) {
      this.#names.delete(path);
      return this.#add(call, { kind: 'unlink', path, file });
    }
    if (!call.name.startsWith('rename') || to === undefined) throw unknown(call, path);
    this.#names.delete(path);
    this.#names.set(to, file);
    return this.#add(call, { kind: 'rename', from: path, to, file });
  }

  #onFile(call: Call, text: Buffer, fd: number, { path, file, position }: OpenFile): Entered | undefined {
    const { name } = call;
    if (name === 'close') return { fd };
    if (name === 'fsync' || name === 'fdatasync') {
      return this.#add(call, file === undefined ? { kind: 'syncDirectory', path } : { kind: 'sync', file });
    }
    if (file === undefined) throw unknown(call, path);
    if (name === 'write' || name === 'writev' || name === 'pwrite64') {
      const offset = name === 'pwrite64' ? lastNumberOf(text) : position;
      return this.#add(call, { kind: 'write', file, offset, data: Buffer.concat(stringsOf(text)) }, { fd });
    }
    if (name === 'ftruncate') return this.#add(call, { kind: 'truncate', file, size: lastNumberOf(text) });
    throw unknown(call, path);
  }

  /** Reading through a mapping changes nothing; writing through one would be seen nowhere. */
  #map(text: Buffer): undefined {
    const line = text.toString('latin1');
    if (!line.includes('MAP_SHARED') || !line.includes('PROT_WRITE')) return;
    const names = /\d+<((?:\\x[0-9a-f]{2})+)>/.exec(line)?.[1]?.replaceAll('\\x', '') ?? '';
    const path = Buffer.from(names, 'hex').toString();
    if (this.#relative(path) !== undefined) throw new Error(`the record maps ${path} for writing`);
  }

  /** It failed, or was never done. */
  #undo(operation: Operation): void {
    const { action } = operation;
    this.operations.splice(this.operations.lastIndexOf(operation), 1);
    if (action.kind === 'create') this.#names.delete(action.path);
    else if (action.kind === 'unlink') this.#names.set(action.path, action.file);
    else if (action.kind === 'rename' || action.kind === 'truncate')
      throw new Error(`a ${action.kind} of the record failed`);
  }

  #relative(path: string): string | undefined {
    if (path === this.#root) return '';
    return path.startsWith(`${this.#root}/`) ? path.slice(this.#root.length + 1) : undefined;
  }
}

function sentOf(call: Call, text: Buffer, names: string): Sent {
  const connection = names.slice(names.indexOf('[') + 1, -1);
  return { connection, data: Buffer.concat(stringsOf(text)), begin: call.begin, atMs: call.atMs };
}

function unknown(call: Call, path: string): Error {
  return new Error(
    `the record has a ${call.name} of ${path}, and this reader does not know what that does to the disk`,
  );
}

/** The directory of a name; '' is the data directory. */
export const directoryOf = (path: string): string => (dirname(path) === '.' ? '' : dirname(path));
