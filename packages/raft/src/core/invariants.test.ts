// Each invariant is broken once by hand, and noticed.
import { expect, test } from 'vitest';
import { defaults, encode, ofVoters, seededRandom, TestDisk } from '../../test/core/harness.ts';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './become.ts';
import { checkInvariants, observe } from './invariants.ts';
import type { Raft } from './raft.ts';
import { createRaft } from './raft.ts';

function raftOf(role: 'follower' | 'leader'): Raft {
  const disk = new TestDisk([1, 1, 1], { term: 1, vote: undefined });
  const config = { ...defaults, id: 'a', random: seededRandom(1), encode };
  const configurations = [{ index: 0, configuration: ofVoters(['a', 'b', 'c']) }];
  const raft = createRaft(config, { hardState: disk.hardState, log: disk, applied: 1, configurations });
  if (role === 'follower') {
    becomeFollower(raft, 1, 'b');
    return raft;
  }
  becomePreCandidate(raft);
  if (raft.own.role === 'preCandidate') raft.own.tally.count('b', true);
  becomeCandidate(raft, false);
  raft.durable = { term: raft.term, vote: raft.vote };
  if (raft.own.role === 'candidate') for (const voter of ['a', 'b']) raft.own.tally.count(voter, true);
  becomeLeader(raft);
  return raft;
}

const progressOf = (raft: Raft) => {
  const progress = raft.own.role === 'leader' ? raft.own.followers.get('b') : undefined;
  if (progress === undefined) throw new Error('not a leader');
  return progress;
};

const breaches: Record<string, ['follower' | 'leader', (raft: Raft) => void]> = {
  'the term never goes back': ['follower', (raft) => (raft.term = 0)],
  'one vote a term': ['leader', (raft) => (raft.vote = 'b')],
  'the commit index never goes back': ['follower', (raft) => (raft.commit = 0)],
  'the applied index never goes back': ['follower', (raft) => (raft.applied = 0)],
  'nothing is applied that was not given out': ['follower', (raft) => (raft.applied = 2)],
  'only what is committed and durable is given out': ['follower', (raft) => (raft.handedOut = 2)],
  'what is committed is in the log': ['follower', (raft) => (raft.commit = 4)],
  'no entry is of a later term': ['follower', (raft) => raft.log.append(encode(4, 2, 'commands', new Uint8Array(0)))],
  'a leader never shortens its log': ['leader', (raft) => raft.log.truncate(3, 1)],
  'who stands in a term has voted for itself': [
    'leader',
    (raft) => {
      raft.term += 1;
      raft.vote = 'b';
    },
  ],
  'only a voter stands for election': [
    'follower',
    (raft) => {
      becomePreCandidate(raft);
      raft.roster = { ...raft.roster, isVoter: false };
      raft.configurations = [{ index: 0, configuration: ofVoters(['b']) }];
    },
  ],
  'who the members are is said in the log': ['follower', (raft) => (raft.roster = { ...raft.roster, index: 4 })],
  'a leader tends every other member': [
    'leader',
    (raft) => {
      if (raft.own.role === 'leader') raft.own.followers.delete('b');
    },
  ],
  'a leader has its own vote on its disk': ['leader', (raft) => (raft.durable = { term: 1, vote: undefined })],
  'a term begins with an own entry': [
    'leader',
    (raft) => {
      raft.log.truncate(4, 1);
      raft.log.append(encode(4, 1, 'commands', new Uint8Array(0)));
    },
  ],
  'what is proven is not sent again': ['leader', (raft) => (progressOf(raft).match = 4)],
  'nothing is acknowledged that was not sent in this term': ['leader', (raft) => (progressOf(raft).match = 2)],
  'only what is there is sent': ['leader', (raft) => (progressOf(raft).next = 6)],
};

test.each(Object.entries(breaches))('%s', (what, [role, breach]) => {
  const raft = raftOf(role);
  const before = observe(raft);
  checkInvariants(raft, before);
  breach(raft);
  expect(() => checkInvariants(raft, before)).toThrow(what);
});
