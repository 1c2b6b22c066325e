// Guards of raft: members that come and go while a group runs.
import type { Change, Guard } from './guard.ts';

const core = 'packages/raft/src/core';

/** Leaders are lost again before much of what they begin is on a majority. */
const leadersGo: readonly Change[] = [
  {
    file: 'test/simulator/profile.ts',
    text: 'faults: aroundChanges.filter(() => random.chance(0.4)),',
    instead: "faults: ['usurped', 'usurped', 'isolateLeader'],",
  },
  { file: 'test/simulator/profile.ts', text: 'writeMs: random.pick([0.3, 1, 4]),', instead: 'writeMs: 15,' },
];

export const memberGuards: readonly Guard[] = [
  {
    name: 'change-counts-when-appended',
    rule: 'a change is in force from the moment on in which it is in the log',
    profiles: ['members'],
    seeds: 60,
    changes: [
      { file: `${core}/follower.ts`, text: '    maybeEnforce(raft, entry);\n', instead: '    void maybeEnforce;\n' },
    ],
  },
  {
    name: 'who-goes-is-forgotten',
    rule: 'what a member acknowledged before it was removed is no evidence of the one that comes under its name',
    profiles: ['members'],
    seeds: 20,
    changes: [
      {
        file: `${core}/membership/in-force.ts`,
        text: '  for (const id of followers.keys()) if (!roster.others.includes(id)) followers.delete(id);\n',
        instead: '',
      },
    ],
  },
  {
    name: 'one-change-at-a-time',
    rule: 'the next change of members waits until the one before is committed',
    profiles: ['members'],
    // It is pending for as long as a disk takes, and those who ask for two at once are operators in a hurry.
    settings: [
      {
        file: 'test/simulator/work/operator.ts',
        text: 'by !== machine && this.#options.random.chance(0.5)',
        instead: 'by !== machine',
      },
      {
        file: 'test/simulator/profile.ts',
        text: "memberFaults: readonly MemberFaultKind[] = ['transfer', 'grow', 'shrink', 'replace'];",
        instead: "memberFaults: readonly MemberFaultKind[] = ['replace'];",
      },
      { file: 'test/simulator/profile.ts', text: 'writeMs: random.pick([0.3, 1, 4]),', instead: 'writeMs: 40,' },
    ],
    seeds: 150,
    changes: [
      {
        file: `${core}/membership/change.ts`,
        text: "  if (raft.commit < roster.index) return { kind: 'refused', reason: 'changePending' };\n",
        instead: '',
      },
      // Who asks is told to wait before.
      {
        file: 'packages/server/src/service/members.ts',
        text: '  if (commit < configurationIndex) throw busy();\n',
        instead: '  void [commit, configurationIndex];\n',
      },
      {
        file: 'packages/server/src/watch/promotion.ts',
        text: '      if (commit < configurationIndex) return;\n',
        instead: '      void [commit, configurationIndex];\n',
      },
    ],
  },
  {
    name: 'only-voters-commit',
    rule: 'learners do not count for what is committed',
    profiles: ['members'],
    seeds: 60,
    changes: [
      {
        file: `${core}/replication/commit.ts`,
        text: '  const index = quorumIndex(reached);\n',
        instead:
          '  const learners = roster.others.flatMap((id) => (roster.voters.includes(id) ? [] : [own.followers.get(id)?.match ?? 0]));\n  const index = quorumIndex([...reached, ...learners].sort((a, b) => b - a).slice(0, reached.length));\n',
      },
    ],
  },
  {
    name: 'removed-leader-does-not-count',
    rule: 'a leader that is removed does not count itself',
    profiles: ['members'],
    seeds: 200,
    changes: [
      {
        file: `${core}/replication/commit.ts`,
        text: '  const index = quorumIndex(reached);\n',
        instead:
          '  const itself = roster.isVoter ? [] : [log.stableIndex];\n  const index = quorumIndex([...reached, ...itself].sort((a, b) => b - a).slice(0, reached.length));\n',
      },
    ],
  },
  {
    name: 'voters-have-caught-up',
    rule: 'a member gets its vote only when it has nearly everything',
    profiles: ['members'],
    seeds: 60,
    changes: [
      {
        file: `${core}/membership/change.ts`,
        text: "  if (!isCaughtUp(raft, own, id)) return 'notCaughtUp';\n",
        instead: '  void [isCaughtUp, own];\n',
      },
    ],
  },
  {
    name: 'alone-waits-for-its-vote',
    rule: 'nobody stands anew while its term and vote are being written: one that is alone would never lead on a slow disk',
    profiles: ['members'],
    // Longer than its election timeout of one tick.
    settings: [
      { file: 'test/simulator/profile.ts', text: 'writeMs: random.pick([0.3, 1, 4]),', instead: 'writeMs: 40,' },
    ],
    seeds: 40,
    changes: [
      {
        file: `${core}/election/campaign.ts`,
        text: '  if (!isHardStateDurable(raft)) return;\n',
        instead: '',
      },
    ],
  },
  {
    name: 'change-goes-with-its-entry',
    rule: 'a change is rolled back with the entry that is cut off',
    profiles: ['members'],
    settings: leadersGo,
    seeds: 300,
    changes: [
      { file: `${core}/follower.ts`, text: '    rollBack(raft, conflict);\n', instead: '    void rollBack;\n' },
    ],
  },
];
