// Guards of raft: votes, acknowledgements, commitment, the disk.
import { type Change, type Guard, idleLeaderStays } from './guard.ts';

const core = 'packages/raft/src/core';
const driver = 'packages/raft/src/driver';
const log = 'packages/raft/src/log';

/** One entry an append: what belongs together arrives apart. */
const oneByOne: readonly Change[] = [
  { file: `${driver}/bounds.ts`, text: 'maxAppendBytes: 2 ** 20,', instead: 'maxAppendBytes: 1,' },
];
/** A leader may look for the place where logs part at any index below it; ours finds it exactly, and so hides what counts on that. */
const backsUpTooFar: readonly Change[] = [
  {
    file: `${core}/replication/progress.ts`,
    text: 'Math.min(index, agreeAt + 1)',
    instead: 'Math.max(1, Math.min(index, agreeAt - 3))',
  },
];

export const consensusGuards: readonly Guard[] = [
  {
    name: 'a-version-that-all-know',
    rule: 'what a version brings is used once every member has said that it knows it',
    profiles: ['upgrade'],
    seeds: 20,
    changes: [
      {
        file: 'packages/server/src/watch/activation.ts',
        text: '      if (!ports.others().every((id) => versions.get(id)?.includes(next) === true)) return;\n',
        instead: '',
      },
    ],
  },
  {
    name: 'vote-is-durable',
    rule: 'term and vote are on the disk before a reply that depends on them leaves',
    profiles: ['slowDisks', 'turmoil'],
    seeds: 600,
    changes: [
      {
        file: `${core}/outbox.ts`,
        text: 'if (isHardStateDurable(raft)) raft.outbox.push({ ...body',
        instead: 'if (true) raft.outbox.push({ ...body',
      },
    ],
  },
  {
    name: 'one-vote-a-term',
    rule: 'a member votes for one candidate in a term',
    profiles: ['turmoil'],
    seeds: 100,
    changes: [
      {
        file: `${core}/election/vote.ts`,
        text: 'if (raft.vote !== undefined && raft.vote !== request.from) return false;',
        instead: '',
      },
    ],
  },
  {
    name: 'only-complete-logs-win',
    rule: 'a candidate whose log is behind gets no vote (thesis 3.6.1)',
    profiles: ['swarm'],
    seeds: 60,
    changes: [
      {
        file: `${core}/election/vote.ts`,
        text: 'return raft.log.isUpToDate(request.lastIndex, request.lastTerm);',
        instead: 'return true;',
      },
    ],
  },
  {
    name: 'ack-after-write',
    rule: 'an append is acknowledged once it is on the disk',
    profiles: ['slowDisks'],
    seeds: 200,
    changes: [
      {
        file: `${core}/outbox.ts`,
        text: 'if (index <= raft.log.stableIndex && isHardStateDurable(raft)) raft.outbox.push(message);',
        instead: 'if (true) raft.outbox.push(message);',
      },
    ],
  },
  {
    name: 'own-disk-counts-when-durable',
    rule: 'a leader counts its own copy once it is on its disk, and the state never outlives the log',
    profiles: ['turmoil'],
    seeds: 100,
    changes: [{ file: `${core}/turn.ts`, text: 'Math.min(raft.commit, raft.log.stableIndex)', instead: 'raft.commit' }],
  },
  {
    name: 'commit-own-term-only',
    rule: 'only an entry of the own term is committed by counting (thesis 3.6.2)',
    profiles: ['turmoil'],
    seeds: 400,
    // One entry an append, one append at a time, and much to send: otherwise what is old is on a majority only with the own
    // first entry behind it. And leaders that are lost, and are back, before the one after the next is elected (figure 8).
    missedBy:
      /^a leader has every entry that was committed|^a node stops only for a reason|^nodes that applied the same index/,
    settings: [
      ...oneByOne,
      { file: `${driver}/bounds.ts`, text: 'maxInflightAppends: 64,', instead: 'maxInflightAppends: 1,' },
      { file: 'test/simulator/profile.ts', text: 'produceEveryMs: 90,', instead: 'produceEveryMs: 60,' },
      {
        file: 'test/simulator/profile.ts',
        text: "faults: ['usurped', 'usurped', 'powerOff', 'isolateLeader', 'reset', 'diskStall', 'clogged'],",
        instead: "faults: ['usurped'],",
      },
      {
        file: 'test/simulator/faults.ts',
        text: '    300 + random.exponential(2_000),',
        instead: '    250 + random.exponential(600),',
      },
    ],
    changes: [
      {
        file: `${core}/replication/commit.ts`,
        text: 'if (index <= raft.commit || raft.log.term(index) !== raft.term) return;',
        instead: 'if (index <= raft.commit) return;',
      },
    ],
  },
  {
    name: 'truncate-on-conflict-only',
    rule: 'a late or repeated append never shortens the log',
    profiles: ['swarm'],
    seeds: 60,
    changes: [
      {
        file: `${core}/follower.ts`,
        text: 'message.entries.findIndex((entry) => log.term(entry.index) !== entry.term)',
        instead: '(message.entries.length > 0 ? 0 : -1)',
      },
    ],
  },
  {
    name: 'follower-commits-what-matched',
    rule: "a follower's commit index is bounded by what the message proved",
    profiles: ['turmoil', 'five'],
    seeds: 300,
    settings: [...oneByOne, ...backsUpTooFar],
    changes: [
      {
        file: `${core}/follower.ts`,
        text: 'Math.min(message.commit, matched)',
        instead: 'Math.min(message.commit, raft.log.lastIndex)',
      },
    ],
  },
  {
    name: 'ack-names-what-matched',
    rule: 'an acknowledgement claims what the append proved, and a leader believes only what it sent',
    profiles: ['turmoil', 'five'],
    seeds: 300,
    settings: [...oneByOne, ...backsUpTooFar],
    changes: [
      {
        file: `${core}/follower.ts`,
        text: 'sendAccepted(raft, message.from, matched);',
        instead: 'sendAccepted(raft, message.from, raft.log.lastIndex);',
      },
      {
        file: `${core}/replication/progress.ts`,
        text: '    if (index > this.sentTo) return;\n',
        instead: '',
      },
    ],
  },
  {
    name: 'late-rejection-changes-nothing',
    rule: 'a late rejection never rewinds below what is proven',
    profiles: ['swarm'],
    seeds: 60,
    changes: [
      { file: `${core}/replication/progress.ts`, text: '    if (index <= this.match) return;\n', instead: '' },
      {
        file: `${core}/replication/progress.ts`,
        text: 'this.next = Math.max(this.match + 1, Math.min(index, agreeAt + 1));',
        instead: 'this.next = Math.min(index, agreeAt + 1);',
      },
      {
        file: `${core}/replication/progress.ts`,
        text: 'if (index !== this.next - 1) return;',
        instead: '',
      },
    ],
  },
  {
    name: 'late-ack-of-an-earlier-term',
    rule: 'an acknowledgement of an earlier term is no evidence in this one',
    profiles: ['slowDisks'],
    seeds: 800,
    changes: [
      {
        file: `${core}/election/term.ts`,
        text: '  appendResponse: () => false,\n  heartbeatResponse: () => false,',
        instead: '  appendResponse: () => true,\n  heartbeatResponse: () => false,',
      },
      {
        file: `${core}/replication/progress.ts`,
        text: '    if (index > this.sentTo) return;\n',
        instead: '',
      },
    ],
  },
  {
    name: 'stale-write-completion',
    rule: 'the end of an old write never makes entries durable that a newer leader put in their place (ABA)',
    profiles: ['slowDisks'],
    seeds: 300,
    changes: [
      {
        file: `${core}/replication/log-view.ts`,
        text: 'if (this.#writing !== undefined) this.#writing.validTo = Math.min(this.#writing.validTo, from - 1);',
        instead: '',
      },
    ],
  },
  {
    name: 'check-quorum',
    rule: 'a leader that no majority answers steps down',
    profiles: ['swarm'],
    seeds: 150,
    changes: [
      { file: `${core}/leader.ts`, text: 'if (!hasQuorum(raft, own)) {', instead: 'if (false) {' },
      idleLeaderStays,
    ],
  },
  {
    name: 'unknown-is-not-refused',
    rule: 'what was appended and then lost is unknown, and never reported as not applied',
    profiles: ['turmoil'],
    seeds: 200,
    // Leaders whose entries reach the others, but who hear of nobody that they did: such a one gives up before its clients.
    settings: [
      {
        file: 'test/simulator/profile.ts',
        text: "faults: ['usurped', 'usurped', 'powerOff', 'isolateLeader', 'reset', 'diskStall', 'clogged'],",
        instead: "faults: ['deafLeader'],",
      },
      {
        file: 'test/simulator/profile.ts',
        text: 'patienceMs: [400, 650, 750, 900]',
        instead: 'patienceMs: [500, 700, 900, 1_100]',
      },
    ],
    changes: [
      {
        file: `${driver}/appended.ts`,
        text: "settle({ kind: 'unknown', index, term: entry.term })",
        instead: "settle({ kind: 'notApplied', reason: 'overwritten' })",
      },
    ],
  },
  {
    name: 'sync',
    rule: 'every write is synced',
    profiles: ['power'],
    seeds: 60,
    changes: [
      {
        file: `${log}/level/single-writer.ts`,
        text: 'await batch.write({ sync: true });',
        instead: 'await batch.write({});',
      },
    ],
  },
  {
    name: 'effects-with-the-applied-index',
    rule: 'the effects of an entry and the applied index are written together',
    profiles: ['power'],
    seeds: 150,
    changes: [
      {
        file: `${log}/level-log.ts`,
        text: '      if (value === undefined) batch.del(key);\n      else batch.put(key, value);',
        instead:
          '      const half = key.length <= 6 ? batch : later;\n      if (value === undefined) half.del(key);\n      else half.put(key, value);',
      },
      {
        file: `${log}/level-log.ts`,
        text: '    const plan = planTurn(this.#image, turn);',
        instead: '    const later = this.#database.batch();\n    const plan = planTurn(this.#image, turn);',
      },
      {
        file: `${log}/level-log.ts`,
        text: '      this.#image.show(turn, next, configurations);',
        instead: '      void later.write({ sync: true });\n      this.#image.show(turn, next, configurations);',
      },
    ],
  },
  {
    name: 'turns-without-a-gap',
    rule: 'a directory that lost a turn in the middle does not open',
    profiles: ['directories'],
    seeds: 200,
    changes: [{ file: `${log}/recover.ts`, text: 'if (row.turn !== expected)', instead: 'if (false)' }],
  },
  {
    name: 'wiped-member-is-refused',
    rule: 'a member that comes back with another directory takes no part',
    profiles: ['directories'],
    seeds: 800,
    changes: [
      {
        file: `${driver}/formation/admission.ts`,
        text: 'if (known === it.incarnation) return undefined;',
        instead: 'if (known !== undefined) return undefined;',
      },
      {
        file: `${driver}/formation/formation.ts`,
        text: 'record?.incarnations[id] === incarnation',
        instead: 'record !== undefined',
      },
    ],
  },
];
