// The search on the smallest object there is, where everybody can see what is right.
import { expect, test } from 'vitest';
import { firstAnswer } from './first-answer.ts';
import { judgeAll, objectOf } from './objects.ts';
import type { Operation, Specification } from './operation.ts';
import { judge } from './search.ts';

type Call = { readonly write: number } | 'read';
const register: Specification<number, Call, number> = {
  initial: 0,
  step(value, call, answer) {
    if (call !== 'read') return [call.write];
    return answer === undefined || answer === value ? [value] : `it is ${value}`;
  },
  textOf: String,
  describe: (call, answer) => (call === 'read' ? `read ${answer}` : `write ${call.write}`),
};
const op = (call: Call, invokedMs: number, endedMs: number, answer = 0): Operation<Call, number> => ({
  call,
  invokedMs,
  endedMs,
  outcome: { kind: 'ok', answer },
});
const unanswered = (call: Call, invokedMs: number): Operation<Call, number> => ({
  call,
  invokedMs,
  endedMs: 0,
  outcome: { kind: 'unknown' },
});
const refused = (call: Call, invokedMs: number): Operation<Call, number> => ({
  call,
  invokedMs,
  endedMs: invokedMs + 1,
  outcome: { kind: 'failed' },
});

test.each([
  ['nothing', []],
  ['one after the other', [op({ write: 1 }, 0, 1), op('read', 2, 3, 1)]],
  ['a read that overlaps a write sees what was before', [op({ write: 1 }, 0, 9), op('read', 2, 3, 0)]],
  ['or what is after', [op({ write: 1 }, 0, 9), op('read', 2, 3, 1)]],
  ['a write without an answer comes late', [unanswered({ write: 1 }, 0), op('read', 2, 3, 0), op('read', 50, 51, 1)]],
  ['or never', [unanswered({ write: 1 }, 0), op('read', 50, 51, 0)]],
  ['at the same millisecond anything may be first', [op({ write: 1 }, 0, 2), op('read', 2, 3, 0)]],
  ['what failed is not there', [refused({ write: 1 }, 0), op('read', 2, 3, 0)]],
] as const)('accepted: %s', (_, history) => {
  expect(judge(register, history).kind).toBe('linearizable');
});

test.each([
  ['a stale read', [op({ write: 1 }, 0, 1), op('read', 2, 3, 0)], 'read 0 [2.0, 3.0]: it is 1'],
  [
    'a lost update',
    [op({ write: 1 }, 0, 1), op({ write: 2 }, 2, 3), op('read', 4, 5, 1)],
    'after write 1 [0.0, 1.0], write 2 [2.0, 3.0]: read 1 [4.0, 5.0]: it is 2',
  ],
  [
    'a read that goes back',
    [op({ write: 1 }, 0, 9), op('read', 2, 3, 1), op('read', 4, 5, 0)],
    'read 0 [4.0, 5.0]: it is 1',
  ],
  ['what failed, and is there', [refused({ write: 1 }, 0), op('read', 2, 3, 1)], 'after nothing: read 1'],
  ['what came before it was sent', [op('read', 0, 1, 5), unanswered({ write: 5 }, 2)], 'after nothing: read 5'],
] as const)('refused, for its reason: %s', (_, history, reason) => {
  expect(judge(register, history)).toMatchObject({
    kind: 'notLinearizable',
    reason: expect.stringContaining(reason),
  });
});

test('a history that the bound leaves undecided is a fault, and no pass', () => {
  // Every order of these writes is another state, and no read can be true.
  const writes = Array.from({ length: 12 }, (_, at) => op({ write: at + 1 }, 0, 100));
  const history = [...writes, op('read', 200, 201, 99)];
  expect(judge(register, history, 50)).toEqual({ kind: 'tooLarge', configurations: 50 });
  const report = judgeAll([objectOf('register 1', register, history)], 50);
  expect(report).toMatchObject({ objects: 1, operations: 13, configurations: 50 });
  expect(report.faults).toEqual(['register 1 is undecided: its 13 operations need more than 50 configurations']);
  expect(judge(register, history).kind).toBe('notLinearizable');
});

test('equal sets of operations with equal states are looked at once', () => {
  const writes = Array.from({ length: 14 }, () => op({ write: 1 }, 0, 100));
  const judgement = judge(register, [...writes, op('read', 200, 201, 2)]);
  expect(judgement.kind).toBe('notLinearizable');
  expect(judgement.configurations).toBeLessThanOrEqual(2 ** 14);
});

test('objects are judged one by one, and only the bad ones are named', () => {
  const good = objectOf('good', register, [op({ write: 1 }, 0, 1), op('read', 2, 3, 1)]);
  const bad = objectOf('bad', register, [op({ write: 1 }, 0, 1), op('read', 2, 3, 0)]);
  const { faults, objects } = judgeAll([good, bad]);
  expect(objects).toBe(2);
  expect(faults).toEqual([expect.stringMatching(/^bad has no order that explains what clients saw: .*it is 1$/)]);
});

const asked = (answer: string | undefined, invokedMs: number): Operation<'ask', string> => ({
  call: 'ask',
  invokedMs,
  endedMs: invokedMs + 5,
  outcome: answer === undefined ? { kind: 'unknown' } : { kind: 'ok', answer },
});

test('an idempotency key has one answer, whoever asks again', () => {
  expect(judge(firstAnswer, [asked(undefined, 0), asked('x', 1), asked('x', 20)]).kind).toBe('linearizable');
  expect(judge(firstAnswer, [asked('x', 0), asked('y', 20)])).toMatchObject({
    kind: 'notLinearizable',
    reason: expect.stringContaining('asked, and told y [20.0, 25.0]: the first answer was x'),
  });
});
