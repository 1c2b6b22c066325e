import type { AnswerOf } from '@holdfast/api';
import { expect, test } from 'vitest';
import { ManualClock, settle } from '../../test/manual-clock.ts';
import { type NodeCaller, NodeUnreachable } from '../carrier.ts';
import { LeaderFinder } from './leader-finder.ts';
import { NodeChoice } from './node-choice.ts';

const nodes = ['http://n1', 'http://n2', 'http://n3'];
const member = (id: string) => ({ id, api: `http://${id}` });
const seen = (leader: string): AnswerOf<'cluster'> => ({
  id: 'n1',
  incarnation: 'of n1',
  role: 'follower',
  serving: false,
  term: 1,
  leader,
  commit: 1,
  applied: 1,
  stateHash: '',
  clockMs: 1,
  members: ['n1', 'n2', 'n3'].map(member),
});

function finder(answer: () => Promise<unknown>) {
  const clock = new ManualClock();
  const choice = new NodeChoice(nodes, 0);
  const asked: string[] = [];
  const caller: NodeCaller = {
    async call(node) {
      asked.push(node);
      return JSON.parse(JSON.stringify(await answer()));
    },
    close: async () => undefined,
  };
  return { clock, choice, asked, finder: new LeaderFinder({ caller, clock }, choice) };
}

test('a follower that passes requests on is left for the leader', async () => {
  const { choice, asked, finder: found } = finder(async () => seen('n3'));
  choice.answered('http://n1');
  found.maybeLook('http://n1');
  await settle();
  expect(choice.leader).toBe('http://n3');
  expect(choice.preferred()).toBe('http://n3');
  choice.answered('http://n2');
  expect(choice.preferred()).toBe('http://n3');
  expect(asked).toEqual(['http://n1']);
});

test('it looks once at a time, and not again for a while', async () => {
  const { clock, asked, finder: found } = finder(async () => seen('n1'));
  found.maybeLook('http://n1');
  found.maybeLook('http://n1');
  await settle();
  await clock.advance(4_999);
  found.maybeLook('http://n1');
  expect(asked).toHaveLength(1);
  await clock.advance(1);
  found.maybeLook('http://n1');
  expect(asked).toHaveLength(2);
  expect(found.looks).toBe(2);
});

test('a node that does not say who leads changes nothing, and does not stop later looks', async () => {
  const { clock, choice, asked, finder: found } = finder(() => new Promise(() => undefined));
  found.maybeLook('http://n1');
  await clock.advance(2_000);
  found.maybeLook('http://n1');
  expect(asked).toHaveLength(2);
  expect(choice.leader).toBeUndefined();
  const refusing = finder(() => Promise.reject(new NodeUnreachable('n1', false)));
  refusing.finder.maybeLook('http://n1');
  await settle();
  expect(refusing.choice.leader).toBeUndefined();
});

test.each([
  ['nothing', null],
  ['no members', {}],
  ['members of another kind', { ...seen('n3'), members: 3 }],
  ['members that are nothing', { ...seen('n3'), members: [null] }],
  ['an address that is no text', { ...seen('n3'), members: [{ id: 'n3', api: 7403 }] }],
])('an answer with %s is no answer: nothing is thrown that nobody would catch', async (_what, answer) => {
  const { clock, choice, asked, finder: found } = finder(async () => answer);
  found.maybeLook('http://n1');
  await settle();
  expect(choice.leader).toBeUndefined();
  await clock.advance(200);
  found.maybeLook('http://n1');
  expect(asked).toHaveLength(2);
  expect(clock.timers).toBe(1);
});

test('with one node there is nothing to find', () => {
  const choice = new NodeChoice(['local'], 0.9);
  const caller: NodeCaller = { call: () => Promise.reject(new Error('asked')), close: async () => undefined };
  const found = new LeaderFinder({ caller, clock: new ManualClock() }, choice);
  found.maybeLook('local');
  expect(found.looks).toBe(0);
  expect(choice.after('local')).toBe('local');
});

test('addresses that the user did not give are not followed', () => {
  const choice = new NodeChoice(nodes, 0);
  expect(choice.follow('http://elsewhere')).toBe(false);
  expect(choice.leader).toBeUndefined();
  expect(choice.follow('http://n2/')).toBe(true);
  expect(choice.leader).toBe('http://n2');
});

test('a node that answers late is preferred again, unless the leader is known', () => {
  const choice = new NodeChoice(nodes, 0);
  expect(choice.after('http://n1')).toBe('http://n2');
  choice.answered('http://n1');
  expect(choice.preferred()).toBe('http://n1');
});

test('a client without addresses is refused', () => {
  expect(() => new NodeChoice([], 0)).toThrow('at least one node');
});
