// When a load balancer may send requests here, and when a restart would help.
import { expect, test } from 'vitest';
import { statusOf } from '../../test/status.ts';
import { type HealthSources, livez, readyz } from './health.ts';

const sources = (of: Partial<HealthSources>): HealthSources => ({
  status: () => statusOf({}),
  stopping: () => false,
  fatal: () => undefined,
  ...of,
});

test.each<[string, Partial<HealthSources>, string]>([
  ['starting', { status: () => undefined }, 'it has not started yet'],
  ['stopping', { stopping: () => true }, 'it is stopping'],
  ['without a leader', { status: () => statusOf({ leader: undefined, role: 'follower' }) }, 'no leader is known'],
  ['leading, in doubt', { status: () => ({ ...statusOf({}), serving: false }) }, 'it leads, and does not serve yet'],
  ['at its end', { fatal: () => new Error('the disk is full') }, 'the disk is full'],
])('a node that is %s is not ready, and says why', (_what, of, because) => {
  expect(readyz(sources(of))).toEqual({ ok: false, body: { ready: false, because } });
});

test('a leader that serves, and a follower that knows one, are ready', () => {
  expect(readyz(sources({}))).toMatchObject({ ok: true, body: { ready: true, leader: 'n1', term: 7 } });
  const follower = { ...statusOf({ role: 'follower', leader: 'n2' }), serving: false };
  expect(readyz(sources({ status: () => follower }))).toMatchObject({ ok: true, body: { leader: 'n2' } });
});

test('a node without a leader lives; one that can not go on does not', () => {
  expect(livez(sources({ status: () => statusOf({ leader: undefined }) })).ok).toBe(true);
  expect(livez(sources({ fatal: () => new Error('the disk is full') }))).toEqual({
    ok: false,
    body: { live: false, because: 'the disk is full' },
  });
});
