// The first rows of a directory.
import { RaftError } from '../../raft-error.ts';
import type { Database } from '../database.ts';
import { encodeGenerations, firstGeneration } from '../generations.ts';
import { encodeIdentity, type Identity } from '../identity.ts';
import {
  entryFence,
  fenceValue,
  generationsKey,
  identityKey,
  logSpace,
  termRunFence,
  turnFence,
  turnKey,
} from '../keyspace.ts';
import { encodeTurnRow, type TurnRow } from '../turn-row.ts';
import type { SingleWriter } from './single-writer.ts';

/** About what the rows of a turn weigh beside entries and effects. */
export const turnRowBytes = 160;

/** @throws RaftError HF_LOG_GAP when the database holds anything already */
export async function found(database: Database, writer: SingleWriter, identity: Identity): Promise<void> {
  const iterator = database.iterator({ gte: Buffer.of(logSpace), limit: 1 });
  const rows = await iterator.nextv(1);
  await iterator.close();
  if (rows.length > 0) throw new RaftError('HF_LOG_GAP', 'The row that says whose directory this is is missing.');
  const first: TurnRow = {
    turn: 0,
    generation: firstGeneration,
    hardState: { term: 0, vote: undefined },
    firstIndex: 1,
    lastIndex: 0,
    lastTerm: 0,
    untouchedIndex: 0,
    logBytes: 0,
    oldestTurn: 0,
    batchBytes: turnRowBytes,
    configurationIndex: 0,
  };
  await writer.writeTurn((batch) => {
    batch.put(identityKey, encodeIdentity(identity));
    batch.put(generationsKey, encodeGenerations({ highest: firstGeneration, unswept: [] }));
    batch.put(turnKey(0), encodeTurnRow(first));
    for (const fence of [turnFence, entryFence(firstGeneration), termRunFence(firstGeneration)])
      batch.put(fence, fenceValue);
    return () => undefined;
  });
}
