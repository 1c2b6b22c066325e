// What a member says of itself, for tests of those who show it.
import type { MemberStatus } from '../src/member.ts';

const follower = { match: 90, applied: 80, inflight: 1, recentlyActive: true };
/** A leader with something in every field; `raft` is what is different. */
export const statusOf = (raft: Partial<MemberStatus['raft']>): MemberStatus => ({
  raft: {
    id: 'n1',
    role: 'leader',
    term: 7,
    leader: 'n1',
    commit: 100,
    applied: 97,
    lastIndex: 110,
    durableIndex: 105,
    termStartIndex: 50,
    uncommittedBytes: 10,
    followers: new Map([['n2', follower]]),
    quorumHeardAtMs: 0,
    transferringTo: undefined,
    waitingReads: 0,
    waitingProposals: 3,
    waitingEntries: 4,
    logBytes: 12_345,
    refusals: new Map([['proposals', 5]]),
    ...raft,
  },
  serving: true,
  scheduler: {
    waitingReceives: 11,
    leases: 12,
    oldestLeaseMs: 2_500,
    rebuildMs: 40,
    windowPositions: 1,
    proposalsInFlight: 1,
    refusals: new Map([['waiting', 6]]),
  },
  clusterId: 'c',
  clockMs: 1,
  stateHash: '',
  skewMs: new Map([['n2', -30]]),
  disks: new Map([['n1', { freeBytes: 1_000, low: true }]]),
  acceptsNew: false,
  pauses: { count: 3, longestMs: 1_500 },
  writingMs: 250,
  leaderChanges: 2,
  skewHandOvers: 4,
  requestsInProgress: 8,
  refusals: new Map([
    ['requests', 9],
    ['waiting', 1],
  ]),
});
