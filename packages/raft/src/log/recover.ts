// Opening a log. LevelDB repairs itself silently: it skips what is damaged and opens with holes. So everything that a
// hole could have taken is looked for here, and a log that is not whole is refused with the index and an advice.
//
// Entries older than the kept turn rows were synced long ago and lie in tables: they are not read here, and checked
// whenever they are (their own checksum). A log cut off at its end opens as an earlier state; nothing in the directory
// can tell it from one, so the handshake does (driver/formation/admission.ts).
import type { Entry } from '../core/message.ts';
import { RaftError } from '../raft-error.ts';
import type { Database, Range, Row } from './database.ts';
import { CorruptEntry, decodeEntry } from './entry.ts';
import { decodeGenerations } from './generations.ts';
import {
  entryFence,
  entryKey,
  fenceValue,
  generationsKey,
  numberOf,
  termRunFence,
  termRunKey,
  turnFence,
  turnKey,
} from './keyspace.ts';
import { decodeTermRun, type TermRun, TermRuns } from './term-runs.ts';
import { decodeTurnRow, type TurnRow } from './turn-row.ts';

export interface Recovered {
  readonly last: TurnRow;
  /** Bytes of the batch of each kept turn, from `last.oldestTurn` on. */
  readonly batchBytes: readonly number[];
  readonly terms: TermRuns;
}

/**
 * Checks the log and reads what must be known of it.
 *
 * @param applied the state machine's applied index
 * @param onEntry gets the entries that were scanned, in order
 * @throws RaftError HF_LOG_CORRUPT, HF_LOG_GAP, HF_LOG_FORMAT
 */
export async function recover(
  database: Database,
  applied: number,
  onEntry: (entry: Entry) => void,
): Promise<Recovered> {
  const turns = await readTurns(database);
  const last = turns.at(-1);
  if (last === undefined) throw gap('There is no row of any turn.', {});
  checkGenerations(database, last.generation);
  checkFence(database, entryFence(last.generation), 'entries');
  checkFence(database, termRunFence(last.generation), 'terms');
  const terms = await readTerms(database, last);
  await scanEntries(database, turns, terms, onEntry);
  const { firstIndex, lastIndex } = last;
  if (firstIndex > applied + 1 || applied > lastIndex) {
    const detail = `The state is at index ${applied}, but the log holds ${firstIndex} to ${lastIndex}.`;
    throw gap(detail, { applied, firstIndex, lastIndex });
  }
  return { last, batchBytes: turns.map((turn) => turn.batchBytes), terms };
}

async function readTurns(database: Database): Promise<TurnRow[]> {
  checkFence(database, turnFence, 'turns');
  const turns: TurnRow[] = [];
  let oldest: number | undefined;
  for await (const [key, value] of rows(database, { gte: turnKey(0), lt: turnFence, reverse: true, limit: 1 }, 1)) {
    oldest = decodeTurnRow(numberOf(key) ?? -1, value).oldestTurn;
  }
  if (oldest === undefined) return turns;
  for await (const [key, value] of rows(database, { gte: turnKey(oldest), lt: turnFence }, 1024)) {
    const row = decodeTurnRow(numberOf(key) ?? -1, value);
    const expected = oldest + turns.length;
    if (row.turn !== expected)
      throw gap(`The row of turn ${expected} is missing; ${row.turn} is there.`, { turn: expected });
    checkTurnFollows(turns.at(-1), row);
    turns.push(row);
  }
  return turns;
}

function checkTurnFollows(before: TurnRow | undefined, row: TurnRow): void {
  if (before === undefined) return;
  const falls =
    row.hardState.term < before.hardState.term ||
    row.firstIndex < before.firstIndex ||
    row.oldestTurn < before.oldestTurn ||
    row.generation < before.generation;
  if (falls || row.untouchedIndex > before.lastIndex) {
    throw corrupt(`Turn ${row.turn} does not follow turn ${before.turn}.`, { turn: row.turn });
  }
}

async function readTerms(database: Database, last: TurnRow): Promise<TermRuns> {
  const { generation, firstIndex, lastIndex } = last;
  const runs: TermRun[] = [];
  const range = { gte: termRunKey(generation, 0), lt: termRunFence(generation) };
  for await (const [key, value] of rows(database, range, 256)) {
    const run = decodeTermRun(numberOf(key), value);
    const before = runs.at(-1);
    if ((before !== undefined && run.term <= before.term) || run.index > lastIndex) {
      throw corrupt(`Term ${run.term} begins at index ${run.index}, which can not be.`, { index: run.index });
    }
    runs.push(run);
  }
  const first = runs[0];
  if (lastIndex >= firstIndex && (first === undefined || first.index > firstIndex)) {
    throw gap(`Nothing says which term index ${firstIndex} has.`, { index: firstIndex });
  }
  if ((runs.at(-1)?.term ?? 0) !== last.lastTerm) {
    throw gap(`The last term of the log should be ${last.lastTerm}.`, { index: lastIndex });
  }
  return new TermRuns(runs);
}

async function scanEntries(
  database: Database,
  turns: readonly TurnRow[],
  terms: TermRuns,
  onEntry: (entry: Entry) => void,
): Promise<void> {
  const last = turns.at(-1);
  if (last === undefined) return;
  let untouched = last.lastIndex;
  for (const turn of turns) untouched = Math.min(untouched, turn.untouchedIndex);
  // The last entry before the scan is read, too: the two must join.
  let expected = Math.max(last.firstIndex, untouched);
  const range = { gte: entryKey(last.generation, expected), lt: entryFence(last.generation) };
  for await (const [key, value] of rows(database, range, 32)) {
    const index = numberOf(key);
    if (expected > last.lastIndex) throw corrupt(`Index ${index} lies behind the end, ${last.lastIndex}.`, { index });
    if (index !== expected) throw gap(`The entry at index ${expected} is missing.`, { index: expected });
    onEntry(checkedEntry(expected, terms.at(expected), value));
    expected += 1;
  }
  if (expected <= last.lastIndex) {
    const detail = `The entry at index ${expected} is missing; the log should end at ${last.lastIndex}.`;
    throw gap(detail, { index: expected, lastIndex: last.lastIndex });
  }
}

/**
 * The entry in a row, which must have this index and term.
 * @throws RaftError HF_LOG_CORRUPT
 */
export function checkedEntry(index: number, term: number | undefined, row: Uint8Array): Entry {
  let entry: Entry;
  try {
    entry = decodeEntry(row);
  } catch (cause) {
    if (!(cause instanceof CorruptEntry)) throw cause;
    throw corrupt(`The entry at index ${index} is damaged: ${cause.message}.`, { index }, cause);
  }
  if (entry.index !== index || entry.term !== term) {
    const detail = `The row of index ${index}, term ${term ?? 'unknown'}, holds index ${entry.index}, term ${entry.term}.`;
    throw corrupt(detail, { index });
  }
  return entry;
}

function checkFence(database: Database, key: Uint8Array, of: string): void {
  const row = database.getSync(key);
  if (row === undefined) throw gap(`The row that ends the ${of} is missing.`, {});
  if (Buffer.compare(row, fenceValue) !== 0) throw corrupt(`The row that ends the ${of} is damaged.`, {});
}

function checkGenerations(database: Database, generation: number): void {
  const row = database.getSync(generationsKey);
  if (row === undefined) throw gap('The row that counts the generations is missing.', {});
  if (decodeGenerations(row) < generation) throw corrupt(`Generation ${generation} was never begun.`, {});
}

async function* rows(database: Database, range: Range, size: number): AsyncGenerator<Row> {
  const iterator = database.iterator(range);
  try {
    for (let found = await iterator.nextv(size); found.length > 0; found = await iterator.nextv(size)) yield* found;
  } finally {
    await iterator.close();
  }
}

function gap(detail: string, facts: Readonly<Record<string, number | undefined>>): RaftError {
  return new RaftError('HF_LOG_GAP', detail, facts);
}

function corrupt(detail: string, facts: Readonly<Record<string, number | undefined>>, cause?: Error): RaftError {
  return new RaftError('HF_LOG_CORRUPT', detail, facts, { cause });
}
