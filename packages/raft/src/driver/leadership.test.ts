import { expect, test } from 'vitest';
import type { CoreStatus } from '../core/types.ts';
import { Leadership } from './leadership.ts';

function observed() {
  const events: string[] = [];
  const leadership = new Leadership({
    onLeader: (term) => events.push(`leader ${term}`),
    onLeaderLost: (term) => events.push(`lost ${term}`),
    onTermEnded: (term) => events.push(`ended ${term}`),
  });
  const see = (role: CoreStatus['role'], term: number, applied: number): void =>
    leadership.observe(
      {
        id: 'a',
        role,
        term,
        leader: undefined,
        commit: 0,
        applied,
        lastIndex: 0,
        durableIndex: 0,
        termStartIndex: role === 'leader' ? 10 : undefined,
        uncommittedBytes: 0,
        configuration: { voters: [], learners: [] },
        configurationIndex: 0,
        committedConfiguration: undefined,
        isVoter: true,
        transferringTo: undefined,
        waitingReads: 0,
        followers: new Map(),
      },
      applied,
    );
  return { events, see, leadership };
}

test('a leader is announced when the first entry of its term is applied, and lost once', () => {
  const { events, see, leadership } = observed();
  see('candidate', 2, 9);
  see('leader', 2, 9);
  expect(leadership.leads).toBe(true);
  expect(events).toEqual([]);
  see('leader', 2, 10);
  see('leader', 2, 11);
  see('follower', 3, 11);
  see('follower', 3, 11);
  leadership.end();
  expect(events).toEqual(['leader 2', 'lost 2', 'ended 2']);
});

test('leadership that ends before it is announced is not lost, but its proposals have an open fate', () => {
  const { events, see } = observed();
  see('leader', 2, 9);
  see('follower', 2, 9);
  expect(events).toEqual(['ended 2']);
});

test('another term of the own is another leadership', () => {
  const { events, see } = observed();
  see('leader', 2, 10);
  see('leader', 4, 12);
  expect(events).toEqual(['leader 2', 'lost 2', 'ended 2', 'leader 4']);
});
