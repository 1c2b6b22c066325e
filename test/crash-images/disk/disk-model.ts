// A disk as it stands at one moment of a record: what is on it for certain, because a sync covered it, and what only the
// kernel knows, which power lost takes in any subset.
import { type Action, directoryOf, type FileNumber, type Operation } from '../trace/operations.ts';

type DataAction = Extract<Action, { kind: 'write' | 'truncate' }>;
type NameAction = Extract<Action, { kind: 'create' | 'rename' | 'unlink' | 'makeDirectory' }>;

/**
 * What makes a name durable.
 *
 * - `linux`: a sync of its directory, or of the file itself, which brings its own name along; other names reach the disk in
 *   the order of their making. So do ext4, XFS and btrfs. They keep the folders on the way to a synced file as well; that is
 *   not counted on here: the name of a folder is durable with a sync of the directory that it is in, and not before.
 * - `posix`: a sync of its directory, and nothing else (fsync(2)); names that were not synced reach the disk in any order.
 */
export const nameRules = ['linux', 'posix'] as const;
export type NameRule = (typeof nameRules)[number];

/** The content of a file: grows as it is written. */
export class Content {
  #bytes: Buffer = Buffer.alloc(0);
  size = 0;

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.size);
  }

  write(offset: number, data: Buffer): void {
    const end = offset + data.length;
    if (end > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(end, 2 * this.#bytes.length, 4_096));
      larger.set(this.bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(data, offset);
    this.size = Math.max(this.size, end);
  }

  truncate(size: number): void {
    if (size > this.#bytes.length) this.write(size - 1, Buffer.alloc(1));
    this.#bytes.fill(0, size, Math.max(size, this.size));
    this.size = size;
  }

  apply(action: DataAction): void {
    if (action.kind === 'write') this.write(action.offset, action.data);
    else this.truncate(action.size);
  }
}

export interface FileState {
  readonly synced: Content;
  /** In the order in which they were asked for. */
  readonly pending: { readonly action: DataAction; readonly operation: Operation }[];
}

/** '' stands for a directory. */
export type Names = Map<string, FileNumber | 'directory'>;

export class DiskModel {
  readonly #rule: NameRule;
  readonly files = new Map<FileNumber, FileState>();
  readonly syncedNames: Names = new Map();
  readonly pendingNames: { readonly action: NameAction; readonly operation: Operation }[] = [];

  constructor(rule: NameRule) {
    this.#rule = rule;
  }

  /** From here on the disk may hold what the operation does. */
  begin(operation: Operation): void {
    const { action } = operation;
    switch (action.kind) {
      case 'write':
      case 'truncate':
        this.#file(action.file).pending.push({ action, operation });
        return;
      case 'create':
      case 'rename':
      case 'unlink':
      case 'makeDirectory':
        this.pendingNames.push({ action, operation });
        return;
      case 'sync':
      case 'syncDirectory':
        return;
      default:
        action satisfies never;
    }
  }

  /** The operation has returned; a sync covers all that had returned before it was asked for. */
  end({ action, begin }: Operation): void {
    const covered = ({ operation }: { readonly operation: Operation }): boolean => operation.end < begin;
    if (action.kind === 'sync') {
      const { synced, pending } = this.#file(action.file);
      for (const { action } of takeOut(pending, covered)) synced.apply(action);
    }
    const reached = (name: NameAction): boolean => {
      if (action.kind === 'syncDirectory') return directoriesOf(name).includes(action.path);
      if (action.kind !== 'sync' || this.#rule === 'posix') return false;
      return name.kind !== 'makeDirectory' && name.kind !== 'unlink' && name.file === action.file;
    };
    for (const { action } of takeOut(this.pendingNames, (pending) => covered(pending) && reached(pending.action)))
      applyName(this.syncedNames, action);
  }

  #file(number: FileNumber): FileState {
    const known = this.files.get(number);
    if (known !== undefined) return known;
    const file = { synced: new Content(), pending: [] };
    this.files.set(number, file);
    return file;
  }
}

const directoriesOf = (action: NameAction): readonly string[] =>
  action.kind === 'rename' ? [directoryOf(action.from), directoryOf(action.to)] : [directoryOf(action.path)];

export function applyName(names: Names, action: NameAction): void {
  switch (action.kind) {
    case 'makeDirectory':
      names.set(action.path, 'directory');
      return;
    case 'create':
      names.set(action.path, action.file);
      return;
    case 'rename':
      if (names.get(action.from) === action.file) names.delete(action.from);
      names.set(action.to, action.file);
      return;
    case 'unlink':
      if (names.get(action.path) === action.file) names.delete(action.path);
      return;
    default:
      action satisfies never;
  }
}

function takeOut<T>(from: T[], wanted: (item: T) => boolean): T[] {
  const taken = from.filter(wanted);
  if (taken.length > 0) from.splice(0, from.length, ...from.filter((item) => !taken.includes(item)));
  return taken;
}
