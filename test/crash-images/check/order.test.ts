import { expect, test } from 'vitest';
import type { BindingWord } from '../trace/peer-words.ts';
import { checkOrder } from './order.ts';

const disk = [
  { term: 1, vote: 'n1', lastIndex: 0, from: 10 },
  { term: 1, vote: 'n1', lastIndex: 7, from: 20 },
  { term: 2, vote: 'n3', lastIndex: 7, from: 30 },
];
const faultsOf = (word: BindingWord, at: number, to = 'host:3') =>
  checkOrder('n1', [{ word, to, at }], disk, (address) => (address === 'host:3' ? 'n3' : 'n2')).faults;

test.each<[string, BindingWord, number]>([
  ['entries whose sync has not returned', { kind: 'appended', term: 1, index: 7 }, 19],
  ['entries that nobody wrote', { kind: 'appended', term: 2, index: 8 }, 40],
  ['entries in a term that is not on disk', { kind: 'appended', term: 2, index: 7 }, 25],
  ['a vote before its sync', { kind: 'voteGranted', term: 2 }, 29],
  ['a vote asked for before the own one is on disk', { kind: 'voteAsked', term: 1 }, 9],
  ['a vote for another than the one on disk', { kind: 'voteGranted', term: 1 }, 25],
  ['anything before anything was written', { kind: 'appended', term: 0, index: 0 }, 5],
])('%s: a fault', (_, word, at) => {
  expect(faultsOf(word, at)).toHaveLength(1);
});

test.each<[string, BindingWord, number]>([
  ['entries after their sync', { kind: 'appended', term: 1, index: 7 }, 21],
  ['a vote after its sync', { kind: 'voteGranted', term: 2 }, 31],
  ['a vote asked for after the own one is on disk', { kind: 'voteAsked', term: 1 }, 11],
  ['an answer of an earlier term that was late', { kind: 'appended', term: 1, index: 7 }, 31],
])('%s: none', (_, word, at) => {
  expect(faultsOf(word, at)).toEqual([]);
});
