import type { ChangeOutcome } from '@holdfast/raft';
import { expect, test } from 'vitest';
import { createPromotion } from './promotion.ts';

const learner = (id: string) => ({ id, incarnation: '', address: '' });
const follower = (state: 'snapshot' | 'replicate', recentlyActive = true) => ({
  voter: false,
  state,
  match: 1,
  applied: 1,
  inflight: 0,
  recentlyActive,
});

test('a leader that serves promotes learners one after the other, and one that lags keeps no other from its vote', async () => {
  const asked: string[] = [];
  const answers: ((outcome: ChangeOutcome) => void)[] = [];
  let isServing = false;
  let commit = 4;
  const logged: string[] = [];
  const keep = ({ event, node }: Readonly<Record<string, unknown>>) =>
    void logged.push(`${String(event)} ${String(node)}`);
  const promotion = createPromotion({
    serving: () => isServing,
    status: () => ({
      configuration: { voters: [learner('a')], learners: ['dead', 'far', 'b', 'c'].map(learner) },
      configurationIndex: 5,
      commit,
      followers: new Map([
        ['dead', follower('replicate', false)],
        ['far', follower('snapshot')],
        ['b', follower('replicate')],
        ['c', follower('replicate')],
      ]),
    }),
    promote(id) {
      asked.push(id);
      return new Promise((resolve) => answers.push(resolve));
    },
    log: { info: keep, warn: keep, error: keep },
  });
  promotion.look();
  isServing = true;
  promotion.look();
  expect(asked).toEqual([]);
  commit = 5;
  promotion.look();
  promotion.look();
  expect(asked).toEqual(['b']);
  answers[0]?.({ kind: 'refused', reason: 'notCaughtUp' });
  await new Promise(setImmediate);
  promotion.look();
  answers[1]?.({ kind: 'applied', index: 6 });
  await new Promise(setImmediate);
  promotion.look();
  answers[2]?.({ kind: 'refused', reason: 'notCaughtUp' });
  await new Promise(setImmediate);
  expect(asked).toEqual(['b', 'c', 'b']);
  expect(logged).toEqual(['raft.promoted c']);
});
