// Who belongs to a cluster, and what its members say to each other beside the protocol of the log.
import type { Random } from '../../simulator/random.ts';
import { atLeastOne, bytes, list, maybe, nodeId, nodeIds, safe, text, truth } from '../draw.ts';
import {
  chunk,
  configuration,
  control,
  handshake,
  identity,
  raftErrors,
  secret,
  snapshotControl,
} from '../internals.ts';
import { type Target, targetOf } from '../target.ts';

const founding = (random: Random) => ({
  clusterId: text(random, 0, 10),
  incarnations: Object.fromEntries(nodeIds(random).map((id) => [id, text(random, 1, 8)])),
});

const identities = targetOf<Parameters<typeof identity.encodeIdentity>[0]>({
  name: 'identity',
  draw: (random) => ({
    id: nodeId(random),
    members: nodeIds(random),
    incarnation: text(random, 0, 10),
    founding: maybe(random, () => ({ record: founding(random), confirmed: truth(random) })),
  }),
  encode: identity.encodeIdentity,
  decode: identity.decodeIdentity,
  refusals: [raftErrors.RaftError],
  sees: 'everything',
  canonical: true,
});

const hello = (random: Random) => ({
  clusterId: maybe(random, () => text(random, 0, 10)),
  id: nodeId(random),
  members: nodeIds(random),
  incarnation: text(random, 0, 10),
  bootId: text(random, 0, 10),
  lastDurableIndex: safe(random),
  versions: Array.from({ length: random.int(1, 4) }, () => atLeastOne(random, 1_000)),
});

const greeting = targetOf({
  name: 'greeting',
  draw: (random) => ({
    version: atLeastOne(random, 1_000),
    lane: random.pick(['control', 'bulk'] as const),
    to: nodeId(random),
    hello: hello(random),
  }),
  encode: handshake.encodeHandshake,
  decode: handshake.decodeGreeting,
  sees: 'nothing',
  canonical: false,
});

const welcome = targetOf({
  name: 'welcome',
  draw: (random) => ({ version: atLeastOne(random, 1_000), hello: hello(random) }),
  encode: handshake.encodeHandshake,
  decode: handshake.decodeWelcome,
  sees: 'nothing',
  canonical: false,
});

const hail = targetOf({
  name: 'hail',
  draw: (random) => ({ from: nodeId(random), to: nodeId(random), lane: random.pick(['control', 'bulk'] as const) }),
  encode: secret.encodeHail,
  decode: secret.decodeHail,
  sees: 'nothing',
  canonical: false,
});

type Control = Exclude<NonNullable<ReturnType<typeof control.decodeControl>>, string>;

const controlOf: readonly ((random: Random) => Control)[] = [
  (random) => ({
    kind: 'formation',
    incarnation: text(random, 0, 10),
    record: maybe(random, () => founding(random)),
    confirmed: truth(random),
  }),
  (random) => ({
    kind: 'refusal',
    incarnation: text(random, 0, 10),
    bootId: maybe(random, () => text(random, 0, 10)),
    code: random.pick(['HF_WRONG_MEMBER', 'HF_WRONG_CLUSTER']),
    detail: text(random, 0, 20),
  }),
  (random) => ({
    kind: 'snapshotOffer',
    exportId: safe(random),
    index: atLeastOne(random, 2 ** 53 - 1),
    term: atLeastOne(random, 2 ** 53 - 1),
    configuration: bytes(random),
  }),
  (random) => ({ kind: 'snapshotFetch', exportId: safe(random), after: maybe(random, () => bytes(random)) }),
  (random) => ({
    kind: 'members',
    incarnation: text(random, 0, 32),
    record: founding(random),
    index: safe(random),
    members: nodeIds(random).map((id) => ({ id, incarnation: text(random, 0, 9), address: text(random, 0, 9) })),
  }),
  () => ({ kind: 'stranger' }),
  (random) => ({ kind: 'notNamed', incarnation: text(random, 0, 32), index: safe(random) }),
  (random) => ({ kind: 'snapshotGone', exportId: safe(random) }),
  (random) => ({ kind: 'snapshotInstalled', index: safe(random) }),
];

type SnapshotControl = Parameters<typeof snapshotControl.encodeSnapshotControl>[0];
const isSnapshotControl = (value: Control): value is SnapshotControl => value.kind.startsWith('snapshot');

const controls = targetOf<Control>({
  name: 'control',
  draw: (random) => random.pick(controlOf)(random),
  encode: (value) =>
    isSnapshotControl(value) ? snapshotControl.encodeSnapshotControl(value) : control.encodeControl(value),
  decode: (raw) => {
    const read = control.decodeControl(raw);
    return typeof read === 'string' ? undefined : read;
  },
  sees: 'nothing',
  canonical: false,
});

const configurations = targetOf({
  name: 'configuration',
  draw: (random) => {
    const members = nodeIds(random).map((id) => ({
      id,
      incarnation: text(random, 0, 10),
      address: text(random, 0, 10),
    }));
    const first = { id: 'first', incarnation: text(random, 0, 10), address: text(random, 0, 10) };
    const voters = random.int(0, members.length);
    return { voters: [first, ...members.slice(0, voters)], learners: members.slice(voters) };
  },
  encode: configuration.encodeConfiguration,
  decode: configuration.decodeConfiguration,
  sees: 'nothing',
  canonical: false,
});

const chunks = targetOf({
  name: 'chunk of a snapshot',
  draw: (random) => ({
    exportId: safe(random),
    after: maybe(random, () => bytes(random)),
    rows: list(random, 5, () => ({ key: bytes(random), value: bytes(random) })),
    done: truth(random),
  }),
  encode: chunk.encodeChunk,
  decode: chunk.decodeChunk,
  sees: 'everything',
  canonical: true,
});

export const memberTargets: readonly Target[] = [identities, greeting, welcome, hail, controls, configurations, chunks];
