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
import { decodeGenerations, firstGeneration, type Generations } from './generations.ts';
import {
  configurationFence,
  configurationKey,
  entryFence,
  entryKey,
  fenceValue,
  generationsKey,
  identityKey,
  numberOf,
  termRunFence,
  termRunKey,
  turnFence,
  turnKey,
} from './keyspace.ts';
import { type ConfigurationRow, ConfigurationRows, decodeConfigurationRow } from './level/configuration-rows.ts';
import { decodeTermRun, type TermRun, TermRuns } from './term-runs.ts';
import { decodeTurnRow, type TurnRow } from './turn-row.ts';

export interface Recovered {
  readonly last: TurnRow;
  /** Bytes of the batch of each kept turn, from `last.oldestTurn` on. */
  readonly batchBytes: readonly number[];
  readonly terms: TermRuns;
  readonly configurations: ConfigurationRows;
  readonly generations: Generations;
  /** Where the rows of entries begin: below the first index, when a crash came before compacted ones were deleted. */
  readonly oldestEntryRow: number;
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
  const generations = readGenerations(database, last.generation);
  checkFence(database, entryFence(last.generation), 'entries');
  checkFence(database, termRunFence(last.generation), 'terms');
  const terms = await readTerms(database, last);
  const configurations = await readConfigurations(database, last);
  await scanEntries(database, turns, terms, (entry) => {
    checkConfiguration(entry, configurations);
    onEntry(entry);
  });
  const { firstIndex, lastIndex } = last;
  if (firstIndex > applied + 1 || applied > lastIndex) {
    const detail = `The state is at index ${applied}, but the log holds ${firstIndex} to ${lastIndex}.`;
    throw gap(detail, { applied, firstIndex, lastIndex });
  }
  const batchBytes = turns.map((turn) => turn.batchBytes);
  return { last, batchBytes, terms, configurations, generations, oldestEntryRow: oldestEntryRow(database, last) };
}

/**
 * The generation that log and state are in, for whoever must open the state before the log.
 * @throws RaftError HF_LOG_CORRUPT, HF_LOG_GAP, HF_LOG_FORMAT
 */
export async function readGeneration(database: Database): Promise<number> {
  if (database.getSync(identityKey) === undefined) return firstGeneration;
  const newest = await newestTurn(database);
  if (newest === undefined) throw gap('There is no row of any turn.', {});
  return newest.generation;
}

/** @throws RaftError HF_LOG_CORRUPT, HF_LOG_FORMAT */
export async function newestTurn(database: Database): Promise<TurnRow | undefined> {
  for await (const [key, value] of rows(database, { gte: turnKey(0), lt: turnFence, reverse: true, limit: 1 }, 1)) {
    return decodeTurnRow(numberOf(key) ?? -1, value);
  }
  return undefined;
}

async function readTurns(database: Database): Promise<TurnRow[]> {
  checkFence(database, turnFence, 'turns');
  const turns: TurnRow[] = [];
  const oldest = (await newestTurn(database))?.oldestTurn;
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
  // A flip leaves the log that was there behind.
  const isFlip = row.generation > before.generation;
  if (falls || (!isFlip && row.untouchedIndex > before.lastIndex)) {
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
  // The term before the first entry must be known, too: an append is compared with it. Before index 1 it is 0.
  const known = Math.max(firstIndex - 1, 1);
  if (lastIndex >= known && (first === undefined || first.index > known)) {
    throw gap(`Nothing says which term index ${known} has.`, { index: known });
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
  for (const turn of turns) {
    if (turn.generation === last.generation) untouched = Math.min(untouched, turn.untouchedIndex);
  }
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

function readGenerations(database: Database, generation: number): Generations {
  const row = database.getSync(generationsKey);
  if (row === undefined) throw gap('The row that counts the generations is missing.', {});
  const generations = decodeGenerations(row);
  if (generations.highest < generation) throw corrupt(`Generation ${generation} was never begun.`, {});
  if (generations.unswept.includes(generation)) throw corrupt(`Generation ${generation} is to be swept.`, {});
  return generations;
}

async function readConfigurations(database: Database, last: TurnRow): Promise<ConfigurationRows> {
  const { generation, firstIndex, lastIndex, configurationIndex } = last;
  const found: ConfigurationRow[] = [];
  // Without any there is no fence either, and a seek would walk over whatever lies behind.
  if (configurationIndex === 0) return new ConfigurationRows();
  checkFence(database, configurationFence(generation), 'configurations');
  const range = { gte: configurationKey(generation, 0), lt: configurationFence(generation) };
  for await (const [key, value] of rows(database, range, 64)) {
    const row = decodeConfigurationRow(numberOf(key), value);
    const before = found.at(-1)?.index;
    // The first one may name one before it only where that was compacted.
    const follows =
      before === undefined ? row.previousIndex === 0 || row.index < firstIndex : row.previousIndex === before;
    if (!follows || row.index > lastIndex) {
      throw gap(`The configuration at index ${row.index} does not follow ${before ?? 0}.`, { index: row.index });
    }
    found.push(row);
  }
  if (found.at(-1)?.index !== configurationIndex) {
    throw gap(`The configuration at index ${configurationIndex} is missing.`, { index: configurationIndex });
  }
  return new ConfigurationRows(found);
}

/** An entry that names members has a row that does so, too. */
function checkConfiguration({ index, kind, payload }: Entry, configurations: ConfigurationRows): void {
  if (kind !== 'configuration') return;
  const row = configurations.all.find((other) => other.index === index);
  if (row === undefined || Buffer.compare(row.configuration, payload) !== 0) {
    throw gap(`The configuration at index ${index} is not what its entry says.`, { index });
  }
}

/**
 * Compacted entries are deleted in order, so those that are left lie without a gap below the first index: a few point
 * reads find where they begin, where an iterator would walk over all that was ever deleted.
 */
function oldestEntryRow(database: Database, { generation, firstIndex }: TurnRow): number {
  const isThere = (index: number): boolean => database.getSync(entryKey(generation, index)) !== undefined;
  let lowest = firstIndex;
  let step = 1;
  while (lowest - step >= 1 && isThere(lowest - step)) {
    lowest -= step;
    step *= 2;
  }
  for (; step >= 1; step = Math.floor(step / 2)) if (lowest - step >= 1 && isThere(lowest - step)) lowest -= step;
  return lowest;
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
