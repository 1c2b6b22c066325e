// Guards of a log that is cut, of states that are sent in its place, and of the flip from one generation to the next.
import type { Guard } from './guard.ts';

const core = 'packages/raft/src/core';
const log = 'packages/raft/src/log';
const snapshot = 'packages/raft/src/snapshot';

export const snapshotGuards: readonly Guard[] = [
  {
    name: 'snapshot-for-what-is-compacted',
    rule: 'a follower that needs compacted entries gets the state',
    profiles: ['snapshots'],
    seeds: 20,
    changes: [
      {
        file: `${core}/replication/replicate.ts`,
        text: 'progress.becomeSnapshot();',
        instead: 'progress.next = raft.log.firstIndex;',
      },
    ],
  },
  {
    name: 'P4-cut-below-applied',
    rule: '[P4] a turn cuts the log at most to the applied index that it writes',
    profiles: ['snapshots'],
    seeds: 40,
    changes: [
      {
        file: 'packages/raft/src/driver/loop.ts',
        text: 'return compaction.next(stateMachine.applied.index, needed);',
        instead: 'return compaction.next(Math.max(stateMachine.applied.index, log.lastIndex), needed);',
      },
      {
        file: 'packages/raft/src/driver/loop.ts',
        text: 'const { stateMachine, compaction, neededFrom } = this.#options;',
        instead: 'const { stateMachine, compaction, neededFrom, log } = this.#options;',
      },
    ],
  },
  {
    name: 'P5-export-names-what-it-holds',
    rule: "[P5] an export's index and term are those of its own LevelDB snapshot, not those of the store",
    profiles: ['snapshots'],
    seeds: 20,
    changes: [
      {
        file: 'packages/store/src/open-store.ts',
        text: 'return exportState(this.#database, this.#keys);',
        instead:
          "return Object.defineProperty(exportState(this.#database, this.#keys), 'applied', { value: this.applied });",
      },
    ],
  },
  {
    name: 'flip-brings-its-base-term',
    rule: 'the flip writes the term before its log, in the same batch',
    profiles: ['snapshots'],
    seeds: 20,
    changes: [
      {
        file: `${log}/level/flip.ts`,
        text: '  batch.put(termRunKey(generation, index), encodeTermRun({ index, term }));\n',
        instead: '  void [termRunKey, encodeTermRun, index, term];\n',
      },
    ],
  },
  {
    name: 'generation-is-used-once',
    rule: '[P7] the number of a generation is never used again',
    profiles: ['snapshots'],
    seeds: 40,
    changes: [
      {
        file: `${log}/level-log.ts`,
        text: 'const highest = this.#generations.highest + 1;',
        instead: 'const highest = Math.max(2, this.#generations.highest);',
      },
    ],
  },
  {
    name: 'sweep-spares-what-comes-in',
    rule: 'rows of a state that is being received are not swept',
    profiles: ['snapshots'],
    seeds: 40,
    settings: [{ file: `${snapshot}/bounds.ts`, text: 'chunkBytes: 256 * 2 ** 10,', instead: 'chunkBytes: 2 ** 9,' }],
    changes: [
      {
        file: `${log}/level-log.ts`,
        text: 'this.#generations.unswept.find((unswept) => unswept !== this.#imported);',
        instead: 'this.#generations.unswept[0];',
      },
      {
        file: `${log}/level-log.ts`,
        text: 'return this.#generations.unswept.filter((generation) => generation !== this.#imported).length;',
        instead: 'return this.#generations.unswept.length;',
      },
    ],
  },
];
