// How much of raft's table of roles and events was reached. What counts is in cells-hook.ts.
import { countedName } from './cells-hook.ts';

/** By role and event, how often. A cell that must never be reached is -1 as long as it was not. */
export type CellCounts = Readonly<Record<string, number>>;

interface Counted {
  readonly table: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly impossible: unknown;
  readonly counts: Map<string, number>;
}

const isCounted = (value: unknown): value is Counted => typeof value === 'object' && value !== null && 'table' in value;

/** What was reached since the last call; undefined where nothing is counted. */
export function takeCells(): CellCounts | undefined {
  const counted: unknown = Reflect.get(globalThis, Symbol.for(countedName));
  if (!isCounted(counted)) return undefined;
  const { table, impossible, counts } = counted;
  const cells = Object.entries(table).flatMap(([role, row]) =>
    Object.entries(row).map(([event, cell]): [string, number] => {
      const name = `${role} ${event}`;
      return [name, counts.get(name) ?? (cell === impossible ? -1 : 0)];
    }),
  );
  counts.clear();
  return Object.fromEntries(cells);
}

export class CellTally {
  readonly #counts = new Map<string, number>();

  add(cells: CellCounts): void {
    for (const [name, count] of Object.entries(cells)) {
      const before = this.#counts.get(name);
      this.#counts.set(name, before === undefined ? count : Math.max(before, 0) + Math.max(count, 0) || count);
    }
  }

  /** For a person; empty where nothing was counted. */
  says(): readonly string[] {
    if (this.#counts.size === 0) return [];
    const possible = [...this.#counts].filter(([, count]) => count >= 0);
    const missed = possible.filter(([, count]) => count === 0).map(([name]) => name);
    const reached = `${possible.length - missed.length} of ${possible.length}`;
    const rest = missed.length === 0 ? '' : `; not: ${missed.join(', ')}`;
    return [
      `of raft's table of roles and events ${reached} cells were reached${rest} (${this.#counts.size - possible.length} are impossible)`,
    ];
  }
}
