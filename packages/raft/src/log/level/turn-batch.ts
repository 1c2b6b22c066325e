// What an ordinary turn puts into its batch beside effects and its turn row: entries, truncation, compaction, and the
// rows that are kept so that opening need not read entries.
import { strict as assert } from 'node:assert';
import type { Batch } from '../database.ts';
import { configurationFence, configurationKey, entryKey, fenceValue, termRunKey } from '../keyspace.ts';
import type { Turn } from '../log-store.ts';
import { encodeTermRun } from '../term-runs.ts';
import type { TurnRow } from '../turn-row.ts';
import { type ConfigurationRow, encodeConfigurationRow } from './configuration-rows.ts';
import { turnRowBytes } from './found.ts';
import type { LogImage } from './image.ts';

/** What the turn row will say, but which turn rows are kept. */
export function planTurn(image: LogImage, turn: Turn): Omit<TurnRow, 'oldestTurn'> {
  const { last } = image;
  const untouchedIndex = (turn.truncateFrom ?? last.lastIndex + 1) - 1;
  const firstIndex = turn.compactTo ?? last.firstIndex;
  assert(untouchedIndex <= last.lastIndex && untouchedIndex >= last.firstIndex - 1, 'truncation outside of the log');
  assert(firstIndex >= last.firstIndex && firstIndex <= untouchedIndex + 1, 'compaction outside of the log');
  let { logBytes } = last;
  for (let index = last.firstIndex; index < firstIndex; index++) logBytes -= image.entryBytes(index);
  for (let index = untouchedIndex + 1; index <= last.lastIndex; index++) logBytes -= image.entryBytes(index);
  let batchBytes = turnRowBytes;
  let lastTerm = image.term(untouchedIndex) ?? 0;
  let configurationIndex = image.configurations.newestAt(untouchedIndex);
  for (const [i, { index, term, kind, bytes }] of turn.entries.entries()) {
    assert(index === untouchedIndex + 1 + i && term >= lastTerm, `entry ${index} does not follow`);
    lastTerm = term;
    logBytes += bytes.length;
    batchBytes += bytes.length;
    if (kind === 'configuration') configurationIndex = index;
  }
  for (const { key, value } of turn.effects) batchBytes += key.length + (value?.length ?? 0);
  return {
    turn: last.turn + 1,
    generation: last.generation,
    hardState: turn.hardState ?? last.hardState,
    firstIndex,
    lastIndex: untouchedIndex + turn.entries.length,
    lastTerm,
    untouchedIndex,
    logBytes,
    batchBytes,
    configurationIndex,
  };
}

type Plan = Pick<TurnRow, 'generation' | 'firstIndex' | 'lastIndex' | 'untouchedIndex'>;

/** Entries, and the runs of their terms. */
export function queueEntries(batch: Batch, image: LogImage, { entries, truncateFrom }: Turn, plan: Plan): void {
  const { generation, firstIndex, lastIndex, untouchedIndex } = plan;
  for (let index = lastIndex + 1; index <= image.last.lastIndex; index++) batch.del(entryKey(generation, index));
  if (truncateFrom !== undefined) {
    for (const run of image.terms.from(truncateFrom)) batch.del(termRunKey(generation, run.index));
  }
  let before = image.term(untouchedIndex);
  for (const { index, term, bytes } of entries) {
    batch.put(entryKey(generation, index), bytes);
    if (term !== before) batch.put(termRunKey(generation, index), encodeTermRun({ index, term }));
    before = term;
  }
  for (const run of image.terms.before(firstIndex)) batch.del(termRunKey(generation, run.index));
}

/** @returns the rows that are new */
export function queueConfigurations(
  batch: Batch,
  image: LogImage,
  { entries, truncateFrom }: Turn,
  plan: Plan,
): readonly ConfigurationRow[] {
  const { generation, firstIndex, untouchedIndex } = plan;
  const { configurations } = image;
  const removed = truncateFrom === undefined ? [] : configurations.from(truncateFrom);
  for (const { index } of removed) batch.del(configurationKey(generation, index));
  for (const { index } of configurations.before(firstIndex)) batch.del(configurationKey(generation, index));
  const added: ConfigurationRow[] = [];
  let previousIndex = configurations.newestAt(untouchedIndex);
  for (const { kind, index, payload } of entries) {
    if (kind !== 'configuration') continue;
    if (previousIndex === 0) batch.put(configurationFence(generation), fenceValue);
    const row = { index, previousIndex, configuration: payload };
    batch.put(configurationKey(generation, index), encodeConfigurationRow(row));
    added.push(row);
    previousIndex = index;
  }
  return added;
}
