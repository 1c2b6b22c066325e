import { expect, test } from 'vitest';
import type { Verdict } from './check/check-image.ts';
import type { OrderResult } from './check/order.ts';
import { Tally } from './tally.ts';

const well: Verdict = { refused: undefined, lost: [], holes: [], checked: 3 };
const order: OrderResult = { votes: 1, acknowledgements: 2, faults: [] };

function failed(verdicts: readonly Verdict[], orders: readonly OrderResult[] = []): boolean {
  const tally = new Tally();
  for (const [image, verdict] of verdicts.entries())
    tally.add({ image, place: 1, lost: { pages: 0, names: 0 }, verdict });
  for (const each of orders) tally.addOrder(each);
  return tally.failed;
}

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
  ['no image', failed([])],
  ['images in which there was nothing to look up', failed([{ ...well, checked: 0 }])],
  ['nodes that said nothing to each other', failed([well], [{ ...order, votes: 0 }])],
])('%s: not well', (_, isFailed) => {
  expect(isFailed).toBe(true);
});
