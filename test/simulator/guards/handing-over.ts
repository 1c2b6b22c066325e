// Guards of raft: a leader that names its successor.
import type { Guard } from './guard.ts';

const core = 'packages/raft/src/core';

export const handingOverGuards: readonly Guard[] = [
  {
    name: 'nothing-new-while-handing-over',
    rule: 'a leader that hands over appends nothing more (thesis 3.10)',
    profiles: ['handOvers'],
    seeds: 20,
    changes: [
      {
        file: `${core}/leader.ts`,
        text: "if (own.transfer !== undefined || !raft.roster.isVoter) return { kind: 'refused', reason: 'transferring' };",
        instead: "if (!raft.roster.isVoter) return { kind: 'refused', reason: 'transferring' };",
      },
    ],
  },
  {
    name: 'target-has-everything',
    rule: 'who is told to lead has everything',
    profiles: ['handOvers'],
    seeds: 20,
    // One append at a time, and disks that take their time: something is always on its way, and much comes late.
    settings: [
      {
        file: 'packages/raft/src/driver/bounds.ts',
        text: 'maxInflightAppends: 64,',
        instead: 'maxInflightAppends: 1,',
      },
      { file: 'test/simulator/profile.ts', text: 'writeMs: random.pick([0.3, 1, 4]),', instead: 'writeMs: 40,' },
    ],
    missedBy: /^who is named as the next leader/,
    changes: [
      {
        file: `${core}/election/transfer.ts`,
        text: '  if (followers.get(transfer.to)?.match !== raft.log.lastIndex) return;\n',
        instead: '  void followers;\n',
      },
    ],
  },
  {
    name: 'the-named-one-is-listened-to',
    rule: 'who was told to lead gets votes though the leader is still heard',
    profiles: ['handOvers'],
    seeds: 20,
    changes: [
      {
        file: `${core}/election/term.ts`,
        text: 'if (!message.transfer && hearsLeader(raft, message.from)) return false;',
        instead: 'if (hearsLeader(raft, message.from)) return false;',
      },
    ],
  },
];
