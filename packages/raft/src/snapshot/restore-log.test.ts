// A state from elsewhere becomes the first state of a cluster of one: all of it, or nothing.
import { MemoryLevel } from 'memory-level';
import { expect, test } from 'vitest';
import { decodeConfiguration } from '../core/membership/configuration.ts';
import { verifyLog } from '../log/level/verify.ts';
import { openLevelLog } from '../log/level-log.ts';
import { readGeneration } from '../log/recover.ts';
import type { Effects } from '../state-machine.ts';
import { type RestoredAs, restoreLog } from './restore-log.ts';

const random = () => 0.25;
const keyIn = (generation: number, name: number) => Buffer.of(2, 0, 0, 0, generation, name);

async function opened(): Promise<MemoryLevel<Uint8Array, Uint8Array>> {
  const database = new MemoryLevel<Uint8Array, Uint8Array>({ keyEncoding: 'view', valueEncoding: 'view' });
  await database.open();
  return database;
}

const seen: RestoredAs[] = [];
async function* twoBatches(as: RestoredAs): AsyncGenerator<Effects> {
  seen.push(as);
  yield [{ key: keyIn(as.generation, 1), value: Buffer.of(1) }];
  yield [{ key: keyIn(as.generation, 2), value: Buffer.of(2) }];
}

test('the log begins behind the state, in a term of which nobody has voted, with this directory as the only voter', async () => {
  const database = await opened();
  await restoreLog({ database, applied: 0, id: 'a', random }, twoBatches);
  expect(seen.splice(0)).toEqual([{ generation: 2, index: 1, term: 1 }]);
  const log = await openLevelLog({ database, applied: 1, id: 'a', members: ['a'], random });
  expect(log).toMatchObject({ firstIndex: 2, lastIndex: 1, generation: 2, hardState: { term: 1, vote: undefined } });
  expect(log.term(1)).toBe(1);
  const [inForce] = log.configurations;
  const { incarnation } = log.identity;
  expect(decodeConfiguration(inForce?.configuration ?? new Uint8Array())).toEqual({
    voters: [{ id: 'a', incarnation, address: '' }],
    learners: [],
  });
  expect((await verifyLog(database, 1)).faults).toEqual([]);
});

test('when the rows end with an error nothing is in use, and a second time all of it is', async () => {
  const database = await opened();
  const broken = async function* (as: RestoredAs): AsyncGenerator<Effects> {
    yield [{ key: keyIn(as.generation, 3), value: Buffer.of(3) }];
    throw new Error('the file ends here');
  };
  await expect(restoreLog({ database, applied: 0, id: 'a', random }, broken)).rejects.toThrow('the file ends here');
  expect(await readGeneration(database)).toBe(1);
  await restoreLog({ database, applied: 0, id: 'a', random }, twoBatches);
  await restoreLog({ database, applied: 1, id: 'a', random }, twoBatches);
  expect(seen.splice(0)).toEqual([
    { generation: 3, index: 1, term: 1 },
    { generation: 4, index: 2, term: 1 },
  ]);
  const log = await openLevelLog({ database, applied: 2, id: 'a', members: ['a'], random });
  while (log.unswept > 0) await log.sweep();
  const left = (await database.keys({ gte: Buffer.of(2) }).all()).map((key) => [key[4], key[5]]);
  expect(left).toEqual([
    [4, 1],
    [4, 2],
  ]);
});
