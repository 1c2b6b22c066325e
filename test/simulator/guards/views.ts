// Guards of what is read: views over pending effects, and rows that are not what was written.
import type { Guard } from './guard.ts';

const read = 'packages/store/src/read';

export const viewGuards: readonly Guard[] = [
  {
    name: 'P1-view-sees-pending-effects',
    rule: '[P1] a view is the database and the layers that are applied and not written',
    profiles: ['swarm'],
    seeds: 40,
    changes: [
      {
        file: 'packages/store/src/open-store.ts',
        text: '      layers: this.#layers.freeze(),',
        instead: '      layers: this.#layers.freeze().slice(0, 0),',
      },
    ],
  },
  {
    name: 'P2-view-is-frozen',
    rule: '[P2] the layers of a view stay, whatever a turn writes meanwhile',
    profiles: ['swarm'],
    seeds: 200,
    changes: [
      {
        file: `${read}/layers.ts`,
        text: '    return [...this.#writing, ...this.#sealed];',
        instead: `    return new Proxy([], {
      get: (_, name) => {
        const now = [...this.#writing, ...this.#sealed];
        const value = Reflect.get(now, name);
        return typeof value === 'function' ? value.bind(now) : value;
      },
    });`,
      },
      {
        file: `${read}/scan.ts`,
        text: '      if (rows.length === 0) break;\n',
        instead:
          '      if (next === 0 && found.length === 0) pending.splice(0, pending.length, ...pendingRows(source.layers, range));\n      if (rows.length === 0) break;\n',
      },
    ],
  },
  {
    name: 'P3-a-turn-drops-its-own-layer',
    rule: '[P3] a finished turn drops its layer, and no key that was written again',
    profiles: ['swarm'],
    seeds: 40,
    changes: [
      {
        file: `${read}/layers.ts`,
        text: '    this.#writing.shift();',
        instead: `    for (const id of this.#writing.shift()?.rows.keys() ?? []) {
      this.#open.rows.delete(id);
      for (const layer of this.#sealed) layer.rows.delete(id);
    }`,
      },
    ],
  },
  {
    name: 'P8-last-seq-not-the-next',
    rule: '[P8] a cursor goes to the last seq that was issued at most, not to the next',
    profiles: ['clocks'],
    seeds: 500,
    changes: [
      {
        file: 'packages/scheduler/src/upcoming.ts',
        text: '    this.#from = position;\n',
        instead:
          "    const next = { fireAtMs: clockMs, seq: Number(Reflect.get(this.#store, 'seq')) + 1 };\n    this.#from = lane.firstTimeMs > clockMs ? next : position;\n",
      },
      {
        file: 'packages/scheduler/src/delivery/pick.ts',
        text: 'const to = lane.at(-1)?.position;',
        instead: 'const to = lane.length === 0 ? undefined : group.upcoming.from;',
      },
    ],
  },
  {
    name: 'layer-until-it-is-written',
    rule: 'a layer is looked into until its turn is on the disk',
    profiles: ['swarm'],
    seeds: 40,
    changes: [
      {
        file: 'packages/raft/src/driver/loop.ts',
        text: '    this.#sealedBytes = pendingBytes;',
        instead: '    if (effects !== undefined) stateMachine.effectsWritten();\n    this.#sealedBytes = pendingBytes;',
      },
      {
        file: 'packages/raft/src/driver/loop.ts',
        text: '      if (hasEffects) stateMachine.effectsWritten();\n',
        instead: '',
      },
    ],
  },
  {
    name: 'row-checksum',
    rule: 'a row with a flipped bit stops its node',
    profiles: ['directories'],
    seeds: 400,
    changes: [
      {
        file: 'packages/store/src/rows/row.ts',
        text: 'if (crc32(body, crc32(key)) !== bytes.readUInt32BE(at))',
        instead: 'if (false)',
      },
    ],
  },
];
