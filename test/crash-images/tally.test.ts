import { expect, test } from 'vitest';
import type { Verdict } from './check/check-image.ts';
import type { Ended } from './check/opener-process.ts';
import type { OrderResult } from './check/order.ts';
import { Tally } from './tally.ts';

const well: Verdict = { refused: undefined, lost: [], holes: [], checked: 3 };
const order: OrderResult = { votes: 1, acknowledgements: 2, faults: [] };

const aborted: Ended = { endedBy: 'SIGABRT', says: 'an assertion' };
const exited: Ended = { endedBy: 'exit code 1', says: 'Error' };
const killed: Ended = { endedBy: 'SIGKILL', says: '' };

function tallied(outcomes: readonly (Verdict | Ended)[], orders: readonly OrderResult[] = [], dropSynced = false) {
  const tally = new Tally({ dropSynced });
  for (const [image, outcome] of outcomes.entries())
    tally.add({ image, place: 1, lost: { pages: 0, names: 0 }, outcome });
  for (const each of orders) tally.addOrder(each);
  return tally;
}

const failed = (...outcome: Parameters<typeof tallied>): boolean => tallied(...outcome).failed;

test('everything opened, nothing lost: well', () => {
  expect(failed([well, well], [order])).toBe(false);
});

test.each<[string, boolean]>([
  [
    'a start that was refused',
    failed([well, { ...well, refused: { code: 'HF_LOG_GAP', message: 'A part is missing.' } }]),
  ],
  ['a loss', failed([well, { ...well, lost: ['message 3'] }])],
  ['a hole', failed([well, { ...well, holes: ['a row that belongs to nothing'] }])],
  ['a vote that left too early', failed([well], [{ ...order, faults: ['a vote'] }])],
  ['an image that ended the process', failed([well, aborted])],
  ['on a disk that lied, an exit by an error that nobody caught', failed([well, exited], [], true)],
  ['on a disk that lied, an image that never came to its end', failed([well, killed], [], true)],
  ['no image', failed([])],
  ['images in which there was nothing to look up', failed([{ ...well, checked: 0 }])],
  ['nodes that said nothing to each other', failed([well], [{ ...order, votes: 0 }])],
])('%s: not well', (_, isFailed) => {
  expect(isFailed).toBe(true);
});

test('on a disk that lied, an assertion of LevelDB is counted and told, and no fault', () => {
  const tally = tallied([well, aborted, well, aborted], [], true);
  expect(tally.failed).toBe(false);
  expect(tally.lines()).toContain('opened 2, refused 0, ended the process 2 (SIGABRT 2)');
  expect(tally.lines().filter((line) => line.includes('an assertion'))).toHaveLength(2);
});
