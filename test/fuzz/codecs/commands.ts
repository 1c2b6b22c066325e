// Commands, as they lie in the log.
import type { CollectStep, Command, CommandKind, CommandOf } from '@holdfast/store';
import type { Random } from '../../simulator/random.ts';
import { atLeastOne, bytes, list, maybe, position, text, truth, u32, u48 } from '../draw.ts';
import { commands } from '../internals.ts';
import { type Target, targetOf } from '../target.ts';

/** The end of the year 9999, and a hundred years of leap years. */
const maxTimeMs = 253_402_300_799_999;
const maxDelayMs = 100 * 366 * 24 * 3_600_000;

const time = (random: Random): number => Math.min(u48(random), maxTimeMs);
const delay = (random: Random): number => Math.min(u48(random), maxDelayMs);
const name = (random: Random): string => text(random, 1, 20);
const hash = (random: Random): Buffer => Buffer.from(random.bytes(16));
const ref = (random: Random) => ({ position: position(random), token: u48(random) });
const refs = (random: Random) => list(random, 5, () => ref(random));
const of = (random: Random) => ({ topic: u32(random), group: u32(random) });
const idempotency = (random: Random) =>
  maybe(random, () => ({ key: name(random), requestHash: hash(random), keepMs: Math.max(1, delay(random)) }));

const steps: { readonly [K in CollectStep['kind']]: (random: Random) => Extract<CollectStep, { kind: K }> } = {
  answers: (random) => ({
    kind: 'answers',
    topic: u32(random),
    keys: list(random, 4, () => ({ key: name(random), untilMs: u48(random) })),
  }),
  ended: (random) => ({
    kind: 'ended',
    rows: list(random, 4, () => ({ topic: u32(random), position: position(random), endedAtMs: u48(random) })),
  }),
  messages: (random) => ({
    kind: 'messages',
    topic: u32(random),
    positions: list(random, 4, () => position(random)),
  }),
  group: (random) => ({
    kind: 'group',
    ...of(random),
    holds: list(random, 4, () => position(random)),
    last: truth(random),
  }),
};
const stepKinds = Object.keys(steps) as CollectStep['kind'][];

/** A kind that is missing does not compile. */
const byKind: { readonly [K in CommandKind]: (random: Random) => CommandOf<K> } = {
  begin: (random) => ({ kind: 'begin', graceMs: u32(random) }),
  tick: () => ({ kind: 'tick' }),
  schedule: (random) => ({
    kind: 'schedule',
    topic: name(random),
    idempotency: idempotency(random),
    messages: list(random, 4, () => ({
      at: truth(random) ? { kind: 'time', timeMs: time(random) } : { kind: 'delay', delayMs: delay(random) },
      headers: bytes(random),
      body: bytes(random),
    })),
  }),
  createGroup: (random) => ({
    kind: 'createGroup',
    topic: name(random),
    group: name(random),
    start: random.pick([{ kind: 'earliest' }, { kind: 'now' }, { kind: 'time', timeMs: time(random) }] as const),
    config: {
      maxAttempts: atLeastOne(random, 2 ** 32 - 1),
      backoffFirstMs: delay(random),
      backoffMaxMs: delay(random),
    },
    replaceConfig: truth(random),
  }),
  deleteGroup: (random) => ({ kind: 'deleteGroup', ...of(random) }),
  lease(random) {
    const receives = list(random, 3, () => ({ receiveId: hash(random), leaseMs: Math.max(1, delay(random)) }));
    const rows = <T>(draw: (receive: number) => T): T[] =>
      receives.length === 0 ? [] : list(random, 4, () => draw(random.int(0, receives.length - 1)));
    return {
      kind: 'lease',
      ...of(random),
      cursor: maybe(random, () => ({ from: position(random), to: position(random) })),
      receives,
      lane: rows((receive) => ({ position: position(random), receive })),
      retries: rows((receive) => ({
        position: position(random),
        retryAtMs: u48(random),
        retrySeq: u48(random),
        receive,
      })),
    };
  },
  ack: (random) => ({ kind: 'ack', ...of(random), leases: refs(random) }),
  nack: (random) => ({
    kind: 'nack',
    ...of(random),
    leases: list(random, 4, () => ({ ...ref(random), delayMs: delay(random), reason: text(random, 0, 20) })),
  }),
  extend: (random) => ({ kind: 'extend', ...of(random), leaseMs: Math.max(1, delay(random)), leases: refs(random) }),
  cancel: (random) => ({
    kind: 'cancel',
    topic: u32(random),
    position: position(random),
    idempotency: idempotency(random),
  }),
  release: (random) => ({
    kind: 'release',
    ...of(random),
    leases: list(random, 4, () => ({ ...ref(random), delayMs: delay(random) })),
  }),
  giveBack: (random) => ({ kind: 'giveBack', ...of(random), leases: refs(random) }),
  activate: (random) => ({ kind: 'activate', version: atLeastOne(random, 0xffff) }),
  collect: (random) => ({ kind: 'collect', steps: list(random, 3, () => steps[random.pick(stepKinds)](random)) }),
};
const kinds = Object.keys(byKind) as CommandKind[];

export const commandTargets: readonly Target[] = kinds.map((kind) =>
  targetOf<Command>({
    name: `command ${kind}`,
    draw: (random) => byKind[kind](random),
    encode: commands.encodeCommand,
    decode: commands.decodeCommand,
    sees: 'nothing',
    canonical: true,
  }),
);
