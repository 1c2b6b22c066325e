import type { AnswerOf } from '@holdfast/api';
import { expect, test } from 'vitest';
import { standingOf } from './standing.ts';

type Seen = AnswerOf<'members'>;

/** 'n1' is reachable, 'n2!' is not, '(n4)' is a learner. */
function seen(text: string, settled = true): Seen {
  const members = text.split(' ').map((word) => {
    const id = word.replaceAll(/[()!]/g, '');
    const role = word.startsWith('(') ? ('learner' as const) : ('voter' as const);
    return { id, incarnation: `dir of ${id}`, role, reachable: !word.endsWith('!') };
  });
  return { leader: 'n1', settled, members };
}

const learning = { id: 'n3', incarnation: 'dir', role: 'learner' as const, reachable: true };

test('a member that is gone, of whom the others are a majority, may be replaced', () => {
  expect(standingOf(seen('n1 n2 n3!'), 'n3', undefined)).toEqual({ kind: 'lost', incarnation: 'dir of n3' });
  expect(standingOf(seen('n1 n2 n3!'), 'n3', 'a new dir')).toEqual({ kind: 'lost', incarnation: 'dir of n3' });
  expect(standingOf(seen('n1 n2 n3 n4! n5!'), 'n5', undefined)).toMatchObject({ kind: 'lost' });
});

test('a directory that is a member, with a vote or without, need not ask', () => {
  expect(standingOf(seen('n1 n2 n3!'), 'n3', 'dir of n3')).toEqual({ kind: 'listed' });
  expect(standingOf(seen('n1 n2 (n3)'), 'n3', 'dir of n3')).toEqual({ kind: 'listed' });
  expect(standingOf(seen('n1 n2! (n3)'), 'n3', 'dir of n3')).toEqual({ kind: 'listed' });
});

test('who is no member is told so', () => {
  expect(standingOf(seen('n1 n2'), 'n3', 'dir')).toEqual({ kind: 'absent' });
});

test.each([
  ['somebody runs under its name', seen('n1 n2 n3')],
  ['a change is under way', seen('n1 n2 n3!', false)],
  ['its own is not committed', { ...seen('n1 n2 (n3)', false), members: [...seen('n1 n2').members, learning] }],
  ['another one is being taken in', seen('n1 n2 n3! (n4)')],
  ['another one that is being taken in is away', seen('n1 n2 n3! (n4)!')],
  ['half of the others are away', seen('n1 n2! n3!')],
  ['of five, two more are away', seen('n1 n2 n4! n5! n3!')],
  ['it leads itself', { ...seen('n1 n2 n3!'), leader: 'n3' }],
])('it waits while %s', (_what, members) => {
  expect(standingOf(members, 'n3', 'dir').kind).toBe('wait');
});

test('one that is no member yet waits, too, while the others are no majority or busy', () => {
  expect(standingOf(seen('n1 n2!'), 'n3', 'dir').kind).toBe('wait');
  expect(standingOf(seen('n1 n2', false), 'n3', 'dir').kind).toBe('wait');
});
