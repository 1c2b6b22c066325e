// The flip: log and state move to a generation that was imported. One batch, so that a crash leaves the old or the new.
import { strict as assert } from 'node:assert';
import type { HardState } from '../../core/ready.ts';
import type { Batch } from '../database.ts';
import { encodeGenerations, type Generations } from '../generations.ts';
import {
  configurationFence,
  configurationKey,
  entryFence,
  fenceValue,
  generationsKey,
  termRunFence,
  termRunKey,
} from '../keyspace.ts';
import type { Restore } from '../log-store.ts';
import { encodeTermRun } from '../term-runs.ts';
import type { TurnRow } from '../turn-row.ts';
import { encodeConfigurationRow } from './configuration-rows.ts';
import { turnRowBytes } from './found.ts';

/** What the turn row of a flip says, but the oldest turn row that is kept. */
export function planFlip(
  last: TurnRow,
  hardState: HardState | undefined,
  restore: Restore,
  imported: number | undefined,
): Omit<TurnRow, 'oldestTurn'> {
  const { index, term, generation, configuration } = restore;
  assert(generation === imported, `generation ${generation} was not imported`);
  assert(index > 0 && term > 0, 'a snapshot of nothing');
  return {
    turn: last.turn + 1,
    generation,
    hardState: hardState ?? last.hardState,
    firstIndex: index + 1,
    lastIndex: index,
    lastTerm: term,
    untouchedIndex: index,
    logBytes: 0,
    batchBytes: turnRowBytes + configuration.length,
    configurationIndex: index,
  };
}

/** The rows of the new generation beside its state; the turn row is the caller's. */
export function queueFlip(batch: Batch, restore: Restore, generations: Generations): void {
  const { index, term, configuration, generation } = restore;
  for (const fence of [entryFence(generation), termRunFence(generation), configurationFence(generation)])
    batch.put(fence, fenceValue);
  batch.put(termRunKey(generation, index), encodeTermRun({ index, term }));
  const row = encodeConfigurationRow({ index, previousIndex: 0, configuration });
  batch.put(configurationKey(generation, index), row);
  batch.put(generationsKey, encodeGenerations(generations));
}
