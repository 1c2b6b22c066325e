import { expect, test } from 'vitest';
import { type ReadOutcome, Reads } from './reads.ts';

function readsInTest() {
  const reads = new Reads();
  const outcomes: Record<string, ReadOutcome> = {};
  const ask = (name: string, untilMs = 100): number => reads.add((outcome) => (outcomes[name] = outcome), untilMs);
  return { reads, outcomes, ask };
}

test('a read is ready when what it must see is applied, and not before', () => {
  const { reads, outcomes, ask } = readsInTest();
  const first = ask('first');
  const second = ask('second');
  reads.answered([{ context: second, kind: 'ready', index: 7 }], 5);
  reads.answered([{ context: first, kind: 'ready', index: 5 }], 5);
  expect(outcomes).toEqual({ first: { kind: 'ready', index: 5 } });
  reads.applied(6);
  expect(outcomes['second']).toBeUndefined();
  reads.applied(8);
  expect(outcomes['second']).toEqual({ kind: 'ready', index: 7 });
  expect(reads.waiting).toBe(0);
});

test('contexts are never used twice, and an answer to one that is gone means nothing', () => {
  const { reads, outcomes, ask } = readsInTest();
  const first = ask('first');
  reads.answered([{ context: first, kind: 'failed' }], 9);
  expect(outcomes).toEqual({ first: { kind: 'failed' } });
  expect(ask('second')).not.toBe(first);
  reads.answered([{ context: first, kind: 'ready', index: 1 }], 9);
  expect(outcomes['second']).toBeUndefined();
});

test('a node that does not get the entries says so in time, and one that ends says so at once', () => {
  const { reads, outcomes, ask } = readsInTest();
  reads.answered([{ context: ask('late', 50), kind: 'ready', index: 9 }], 1);
  ask('asked');
  reads.tick(49);
  expect(outcomes).toEqual({});
  reads.tick(50);
  expect(outcomes).toEqual({ late: { kind: 'failed' } });
  reads.end();
  expect(outcomes['asked']).toEqual({ kind: 'failed' });
  expect(reads.waiting).toBe(0);
});
