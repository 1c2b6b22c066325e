import { HoldfastError } from '@holdfast/api';
import { expect, test } from 'vitest';
import type { Desk, Leading } from './desk.ts';
import { putGroup } from './topics.ts';

const request = {
  params: { topic: 'reminders', group: 'mailer' },
  query: {},
  body: { start: 'now' as const, maxAttempts: 3, backoffFirst: 1, backoffMax: 2 },
  idempotencyKey: undefined,
};

/** The group is created; then this node does not lead any more, or somebody deleted the group already. */
function deskInTest(after: 'deposed' | 'deleted'): Desk {
  let isPut = false;
  const desk: Pick<Desk, 'replica' | 'leading' | 'requireRoom'> = {
    requireRoom: () => undefined,
    leading() {
      if (after === 'deposed' && isPut) throw new HoldfastError('HF_NO_LEADER');
      return {} as Leading;
    },
    replica: {
      propose() {
        isPut = true;
        return Promise.resolve({ kind: 'applied', verdict: { kind: 'group', topic: 1, group: 1 } } as never);
      },
      store: {
        view: () => ({
          topicByName: () => ({ number: 1 }),
          groupByName: () => undefined,
          close: () => Promise.resolve(),
        }),
      } as unknown as Desk['replica']['store'],
    },
  };
  return desk as Desk;
}

test.each([
  ['deposed', 'HF_NO_LEADER'],
  ['deleted', 'HF_GROUP_NOT_FOUND'],
] as const)('a group that was put is never said not to have been (%s)', async (after, code) => {
  await expect(putGroup(deskInTest(after), request)).rejects.toMatchObject({
    code: 'HF_OUTCOME_UNKNOWN',
    applied: 'unknown',
    cause: { code },
  });
});
