import { expect, test } from 'vitest';
import { looksLikeAnswerTo } from './answer-names.ts';
import { routes, type Verb } from './routes.ts';

const verbs = Object.values(routes).flatMap((route): Verb[] => ('streams' in route ? [] : [route.verb]));

test.each(verbs)(
  'an answer to %s is known by a name that it has, also when it says more than this build knows',
  (verb) => {
    expect([{}, [], null, 1, 'text', { error: 'no' }].filter((value) => looksLikeAnswerTo(verb, value))).toEqual([]);
    const all = ['messages', 'kind', 'results', 'topics', 'topic', 'name', 'id', 'leader'];
    expect(all.some((name) => looksLikeAnswerTo(verb, { [name]: 1, later: 2 }))).toBe(true);
  },
);
