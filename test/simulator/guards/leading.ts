// Guards of raft: elections that come to an end, what a leader says of itself, and reads that need no entry.
import type { Guard } from './guard.ts';

const core = 'packages/raft/src/core';

export const leadingGuards: readonly Guard[] = [
  {
    name: 'heartbeat-commits-what-matched',
    rule: 'a heartbeat commits no more than what the follower is known to have from this leader',
    profiles: ['turmoil'],
    seeds: 60,
    changes: [
      {
        file: `${core}/replication/replicate.ts`,
        text: 'const commit = Math.min(raft.commit, progress.match);',
        instead: 'const commit = raft.commit;',
      },
    ],
  },
  {
    name: 'lost-in-flight-is-sent-again',
    rule: 'a window recovers when everything in flight was lost, and a probe is repeated',
    profiles: ['swarm'],
    seeds: 40,
    changes: [
      { file: `${core}/leader.ts`, text: '  progress.maybeResend(raft.now);\n', instead: '' },
      {
        file: `${core}/leader.ts`,
        text: '  own.followers.get(peer)?.becomeProbe();\n',
        instead: '  void [own, peer];\n',
      },
    ],
  },
  {
    name: 'reads-ask-the-leader',
    rule: 'no node reads its own state before a leader has named an index to it',
    profiles: ['reads'],
    seeds: 40,
    changes: [
      {
        file: 'packages/server/src/service/reads.ts',
        text: "if (await ports.readIndex()) return 'here';",
        instead: "return 'here';",
      },
    ],
  },
  {
    name: 'reads-wait-for-apply',
    rule: 'a read waits until the index that the leader named is applied here',
    profiles: ['reads'],
    seeds: 100,
    changes: [
      {
        file: 'packages/raft/src/driver/reads.ts',
        text: 'const ready = this.#confirmed.filter(({ index }) => index <= applied);',
        instead: 'const ready = [...this.#confirmed];',
      },
      {
        file: 'packages/raft/src/driver/reads.ts',
        text: 'this.#confirmed = this.#confirmed.filter(({ index }) => index > applied);',
        instead: 'this.#confirmed = [];\n    void applied;',
      },
    ],
  },
  {
    name: 'quota-is-given-back',
    rule: 'what is committed no longer counts as what a leader has in flight',
    profiles: ['swarm'],
    seeds: 20,
    settings: [
      {
        file: 'packages/raft/src/driver/bounds.ts',
        text: 'maxUncommittedBytes: 32 * 2 ** 20,',
        instead: 'maxUncommittedBytes: 2 ** 14,',
      },
    ],
    changes: [{ file: `${core}/replication/commit.ts`, text: '  own.uncommitted.committedTo(index);\n', instead: '' }],
  },
  {
    name: 'read-after-an-entry',
    rule: 'without ReadIndex a leader reads after an entry of its own is applied',
    profiles: ['upgrade'],
    // Leaders of both builds stand still, and many ask them at once.
    settings: [
      {
        file: 'test/simulator/profile.ts',
        text: "faults: ['upgrade', 'upgrade', ...aroundUpgrades.filter(() => random.chance(0.4))],",
        instead: "faults: ['upgrade', 'pauseLeader', 'pauseLeader', 'pauseLeader'],",
      },
      { file: 'test/simulator/profile.ts', text: 'crowd: 0.15,', instead: 'crowd: 0.9,' },
    ],
    seeds: 300,
    missedBy: /^what clients were told/,
    changes: [
      {
        file: 'packages/server/src/service/service.ts',
        text: "  const asked = await ports.desk.replica.propose<'tick'>({ kind: 'tick' });\n  if (asked.kind !== 'applied') throw nowhere(ports);\n",
        instead: '  void ports;\n',
      },
    ],
  },
  {
    name: 'read-after-its-round',
    rule: 'a leader names an index once a majority has answered after the question',
    profiles: ['reads'],
    seeds: 60,
    changes: [
      {
        file: `${core}/replication/read-index.ts`,
        text: 'if (read.round > 0 && read.round <= confirmed) answerRead(raft, own, from, read, read.index);',
        instead: 'answerRead(raft, own, from, read, raft.commit);\n    void confirmed;',
      },
      // In doubt a leader answers nobody, which hides it.
      {
        file: 'packages/server/src/create-member.ts',
        text: 'return this.#quorumHeardAtMs < sinceMs;',
        instead: 'return false;',
      },
    ],
  },
];
