// What a node's log said of itself when: its turn rows (packages/raft/src/log/turn-row.ts), read out of what it wrote, and
// from which place in the record on each of them was on the disk.
import { LevelJournal } from './level-journal.ts';
import type { FileNumber, History, Operation } from './operations.ts';

export interface TurnOnDisk {
  readonly term: number;
  readonly vote: string;
  readonly lastIndex: number;
  /** It is on the disk from this place on. */
  readonly from: number;
}

const turnSpace = 0x0130;
const turnKeyBytes = 10;
const termAt = 14;
const lastIndexAt = 30;

/** In the order in which they became durable. */
export function turnsOnDisk({ operations, runEnds }: History): readonly TurnOnDisk[] {
  const turns: TurnOnDisk[] = [];
  const journals = journalFiles(operations);
  const waiting = new Map<FileNumber, { readonly row: Omit<TurnOnDisk, 'from'>; readonly written: Operation }[]>();
  let run = 0;
  for (const operation of [...operations].sort((a, b) => a.end - b.end)) {
    // Opening again writes what was in the log files into tables, and syncs them, before anything is said to anybody.
    for (; operation.begin > (runEnds[run] ?? Number.POSITIVE_INFINITY); run++) {
      for (const rows of waiting.values())
        for (const { row } of rows.splice(0)) turns.push({ ...row, from: runEnds[run] ?? 0 });
    }
    const { action } = operation;
    if (action.kind !== 'write' && action.kind !== 'sync') continue;
    const journal = journals.get(action.file);
    if (journal === undefined) continue;
    const rows = waiting.get(action.file) ?? [];
    waiting.set(action.file, rows);
    if (action.kind === 'write') {
      for (const { key, value } of journal.write(action.data)) {
        if (key.length !== turnKeyBytes || key.readUInt16BE(0) !== turnSpace || key[2] === 0xff) continue;
        rows.push({ row: turnOf(value), written: operation });
      }
    } else {
      const covered = rows.filter(({ written }) => written.end < operation.begin);
      for (const { row } of covered) turns.push({ ...row, from: operation.end });
      rows.splice(0, covered.length);
    }
  }
  return turns;
}

function journalFiles(operations: readonly Operation[]): ReadonlyMap<FileNumber, LevelJournal> {
  return new Map(
    operations.flatMap(({ action }) =>
      action.kind === 'create' && /(^|\/)db\/\d+\.log$/.test(action.path)
        ? [[action.file, new LevelJournal()] as const]
        : [],
    ),
  );
}

function turnOf(row: Buffer): Omit<TurnOnDisk, 'from'> {
  return {
    term: Number(row.readBigUInt64BE(termAt)),
    lastIndex: Number(row.readBigUInt64BE(lastIndexAt)),
    vote: row.toString('utf8', row.length - row.readUInt8(1)),
  };
}
