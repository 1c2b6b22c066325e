// The full walk of a directory that nobody writes to: every row is what was written, everything adds up, and the rows that
// stand are the rows that were put and not deleted.

import { openStore, type StoreOptions } from '../open-store.ts';
import { checkWhole, loadState, rowsBetween } from '../read/load.ts';
import { Keyspace } from '../rows/keyspace.ts';
import { firstMeta, type Meta } from '../rows/meta-row.ts';
import { bufferOf, CorruptRow } from '../rows/row.ts';
import { stateHashOf } from '../state-hash.ts';
import { Tally } from './tally.ts';

export interface VerifiedState {
  readonly applied: { readonly index: number; readonly term: number };
  readonly activeVersion: number;
  readonly epoch: number;
  /** Equal on all members at an equal applied index. */
  readonly stateHash: string;
  readonly rows: number;
  readonly bytes: number;
  /**
   * The sum of the rows that stood before rows were summed, hex; equal on all members at any applied index. Undefined
   * below version 2. Zeros, if `isWhole`: then anything else is a fault.
   */
  readonly base: string | undefined;
  readonly isWhole: boolean;
  /** Sentences; none when all is well. */
  readonly faults: readonly string[];
}

/**
 * Reads every row three times at most, whatever their number, and holds a bounded number of them.
 *
 * @throws StateTooNew, and what the database throws; damage is a fault and no exception
 */
export async function verifyState(options: StoreOptions & { readonly generation: number }): Promise<VerifiedState> {
  const keys = new Keyspace(options.generation);
  const tally = new Tally();
  for await (const [key, value] of rowsBetween(options.database, keys.everything())) tally.add(key, bufferOf(value));
  const faults = new Set(tally.faults);
  let meta: Meta = firstMeta;
  try {
    if (tally.rows > 0) checkWhole(options.database, keys);
    ({ meta } = await loadState(options.database, keys));
    for (const fault of await (await openStore(options)).check()) faults.add(fault);
  } catch (error) {
    if (!(error instanceof CorruptRow)) throw error;
    faults.add(error.message);
  }
  return {
    applied: { index: meta.appliedIndex, term: meta.appliedTerm },
    activeVersion: meta.activeVersion,
    epoch: meta.epoch,
    stateHash: stateHashOf(meta),
    rows: tally.rows,
    bytes: tally.bytes,
    base: tally.baseOf(meta),
    isWhole: meta.hash.kind === 'rows' && meta.hash.isWhole,
    faults: [...faults],
  };
}
