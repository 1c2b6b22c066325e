// A topic with its groups: as it stands, and as one command changes it.
import type { GroupRow } from '../../rows/group-row.ts';
import type { TopicRow } from '../../rows/topic-row.ts';

/** Immutable: views hold it while entries go on. */
export interface TopicState {
  readonly row: TopicRow;
  readonly groups: ReadonlyMap<number, GroupRow>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Copies made by one command, given to the entry when the command is through: a refused one just drops its draft. */
export class TopicDraft {
  readonly row: Mutable<TopicRow>;
  readonly #rowBefore: TopicRow;
  readonly #groups: Map<number, GroupRow>;
  readonly #copied = new Map<number, Mutable<GroupRow>>();

  constructor(before: TopicState) {
    this.row = { ...before.row };
    this.#rowBefore = before.row;
    this.#groups = new Map(before.groups);
  }

  static create(number: number, name: string): TopicDraft {
    const row = { number, name, nextGroup: 1, scheduled: 0, cancelled: 0, stopped: 0, delivered: 0, skipped: 0 };
    return new TopicDraft({ row, groups: new Map() });
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  /** To be changed; undefined when there is no such group. */
  group(number: number): Mutable<GroupRow> | undefined {
    const copied = this.#copied.get(number);
    if (copied !== undefined) return copied;
    const before = this.#groups.get(number);
    return before === undefined ? undefined : this.addGroup(before);
  }

  /** The same, if it is not being deleted. */
  activeGroup(number: number): Mutable<GroupRow> | undefined {
    return this.#groups.get(number)?.state === 'active' ? this.group(number) : undefined;
  }

  activeGroupNamed(name: string): Mutable<GroupRow> | undefined {
    for (const group of this.#groups.values()) {
      if (group.name === name && group.state === 'active') return this.group(group.number);
    }
    return undefined;
  }

  /** The groups that count: one that is being deleted has no say in what becomes of a message. */
  active(): readonly GroupRow[] {
    return [...this.#groups.values()].filter((group) => group.state === 'active');
  }

  addGroup(group: GroupRow): Mutable<GroupRow> {
    const copy = { ...group };
    this.#groups.set(group.number, copy);
    this.#copied.set(group.number, copy);
    return copy;
  }

  removeGroup(number: number): void {
    this.#groups.delete(number);
    this.#copied.delete(number);
  }

  /** The draft must not be touched afterwards. */
  done(): TopicState {
    // A lease moves a group and no count of its topic: the same object says that there is no row to write.
    return { row: isSame(this.row, this.#rowBefore) ? this.#rowBefore : this.row, groups: this.#groups };
  }
}

function isSame(a: TopicRow, b: TopicRow): boolean {
  return (
    a.nextGroup === b.nextGroup &&
    a.scheduled === b.scheduled &&
    a.cancelled === b.cancelled &&
    a.stopped === b.stopped &&
    a.delivered === b.delivered &&
    a.skipped === b.skipped
  );
}
