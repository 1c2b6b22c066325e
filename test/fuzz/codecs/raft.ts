// Between nodes, and in their logs.
import type { Entry, MessageBody } from '@holdfast/raft';
import type { Random } from '../../simulator/random.ts';
import { atLeastOne, bytes, list, maybe, nodeId, safe, truth, u8, u32 } from '../draw.ts';
import { entry, frame, messageCodec, payload, raftErrors, turnRow } from '../internals.ts';
import { decoded, Fault, type Target, targetOf } from '../target.ts';

const versions = [1, 2] as const;
type Version = (typeof versions)[number];
type Kind = MessageBody['kind'];

const newerKinds: ReadonlySet<Kind> = new Set<Kind>(['timeoutNow', 'readRequest', 'readResponse']);

function drawEntries(random: Random, previousIndex: number): readonly Entry[] {
  const count = previousIndex > Number.MAX_SAFE_INTEGER - 10 ? 0 : random.int(0, 4);
  return Array.from({ length: count }, (_, at) =>
    entry.encodeEntry(
      previousIndex + 1 + at,
      atLeastOne(random, 2 ** 53 - 1),
      random.pick(['empty', 'commands']),
      bytes(random),
    ),
  );
}

/** What version 1 does not say is what it is read as. */
const bodies: { readonly [K in Kind]: (random: Random, term: number, version: Version) => MessageBody<K> } = {
  preVoteRequest: (random, term, version) => ({
    kind: 'preVoteRequest',
    term,
    lastIndex: safe(random),
    lastTerm: safe(random),
    transfer: version > 1 && truth(random),
  }),
  voteRequest: (random, term, version) => ({
    kind: 'voteRequest',
    term,
    lastIndex: safe(random),
    lastTerm: safe(random),
    transfer: version > 1 && truth(random),
  }),
  preVoteResponse: (random, term) => ({ kind: 'preVoteResponse', term, granted: truth(random) }),
  voteResponse: (random, term) => ({ kind: 'voteResponse', term, granted: truth(random) }),
  appendRequest: (random, term) => {
    const previousIndex = safe(random);
    const entries = drawEntries(random, previousIndex);
    return { kind: 'appendRequest', term, previousIndex, previousTerm: safe(random), commit: safe(random), entries };
  },
  appendResponse: (random, term) => ({
    kind: 'appendResponse',
    term,
    accepted: truth(random),
    index: safe(random),
    hintIndex: safe(random),
    hintTerm: safe(random),
    applied: safe(random),
  }),
  heartbeat: (random, term, version) => ({
    kind: 'heartbeat',
    term,
    commit: safe(random),
    round: version > 1 ? safe(random) : 0,
  }),
  heartbeatResponse: (random, term, version) => ({
    kind: 'heartbeatResponse',
    term,
    applied: safe(random),
    round: version > 1 ? safe(random) : 0,
  }),
  timeoutNow: (_, term) => ({ kind: 'timeoutNow', term }),
  readRequest: (random, term) => ({ kind: 'readRequest', term, context: safe(random) }),
  readResponse: (random, term) => ({
    kind: 'readResponse',
    term,
    context: safe(random),
    granted: truth(random),
    index: safe(random),
  }),
};
const messageKinds = Object.keys(bodies) as Kind[];

interface Sent {
  readonly version: Version;
  readonly wallMs: number;
  readonly body: MessageBody;
}

function drawSent(random: Random): Sent {
  const version = random.pick(versions);
  const kind = random.pick(messageKinds.filter((name) => version > 1 || !newerKinds.has(name)));
  return {
    version,
    wallMs: random.pick([0, 1.5, -1, 1e308, random.next() * 2e12]),
    body: bodies[kind](random, safe(random), version),
  };
}

function encoded({ body, wallMs, version }: Sent) {
  const message = messageCodec.encodeMessage(body, wallMs, version);
  if (message === undefined) throw new Error(`version ${version} does not know ${body.kind}`);
  return message;
}

/** Which connection it came by is not in its bytes. */
function decodedBody(bytes: Buffer, checkedBytes: number, version: Version): Sent {
  const { message, sample } = messageCodec.decodeMessage(bytes, checkedBytes, 'a', 'b', version);
  const { from, to, ...body } = message;
  if (from !== 'a' || to !== 'b') throw new Fault(`comes from ${from} to ${to}`);
  return { version, wallMs: sample.wallMs, body };
}

/** The version is the connection's, and what the checksum of the frame covers stands in its head: both go in front here. */
const message = targetOf<Sent>({
  name: 'message',
  draw: drawSent,
  encode(sent) {
    const { head, entries } = encoded(sent);
    return Buffer.concat([
      Buffer.of(sent.version, head.length >> 8, head.length & 0xff),
      head,
      ...entries.map(({ bytes }) => bytes),
    ]);
  },
  decode(whole) {
    const version = versions.find((known) => known === whole[0]);
    const checkedBytes = whole.length < 3 ? 0 : whole.readUInt16BE(1);
    if (version === undefined || whole.length < 3 || checkedBytes > whole.length - 3) return undefined;
    return decodedBody(whole.subarray(3), checkedBytes, version);
  },
  refusals: [messageCodec.CorruptMessage],
  sees: 'nothing',
  canonical: true,
});

const group = 7;
const maxFrameBytes = 2 ** 16;

/** A message in its frame, as it comes out of a socket: in pieces. Its entries carry checksums of their own. */
const framed = targetOf<Sent>({
  name: 'message in a frame',
  draw: (random) => ({ ...drawSent(random), version: 2 }),
  encode(sent) {
    const { head, entries, entriesBytes } = encoded(sent);
    return Buffer.concat([
      frame.encodeFrame('message', group, head, entriesBytes),
      ...entries.map(({ bytes }) => bytes),
    ]);
  },
  decode(stream) {
    const reader = new frame.FrameReader(group, maxFrameBytes);
    const frames = [];
    const middle = stream.length >> 1;
    for (const piece of [stream.subarray(0, middle), stream.subarray(middle)]) frames.push(...reader.read(piece));
    const [first] = frames;
    if (first?.kind !== 'message' || frames.length > 1 || reader.isInsideFrame) return undefined;
    return decodedBody(first.body, first.checkedBytes, 2);
  },
  refusals: [frame.BrokenFrame, messageCodec.CorruptMessage],
  sees: 'everything',
  canonical: true,
  fixedBufferBytes: maxFrameBytes,
});

const logEntry = targetOf({
  name: 'entry',
  draw: (random) => {
    const kind = random.pick(['empty', 'commands', 'configuration'] as const);
    return entry.encodeEntry(atLeastOne(random, 2 ** 53 - 1), atLeastOne(random, 2 ** 53 - 1), kind, bytes(random));
  },
  encode: ({ index, term, kind, payload }) => entry.encodeEntry(index, term, kind, payload).bytes,
  decode: entry.decodeEntry,
  refusals: [entry.CorruptEntry],
  sees: 'everything',
  canonical: true,
});

const entryPayload = targetOf({
  name: 'payload',
  draw: (random) => ({ header: bytes(random, 12), commands: list(random, 6, () => bytes(random)) }),
  encode: payload.encodePayload,
  decode: payload.decodePayload,
  refusals: [entry.CorruptEntry],
  sees: 'nothing',
  canonical: true,
});

const turn = 123_456_789_012;
const turns = targetOf({
  name: 'turn row',
  draw: (random) => ({
    turn,
    generation: u32(random),
    hardState: { term: safe(random), vote: maybe(random, () => nodeId(random)) },
    firstIndex: safe(random),
    lastIndex: safe(random),
    lastTerm: safe(random),
    untouchedIndex: safe(random),
    logBytes: safe(random),
    oldestTurn: safe(random),
    batchBytes: u32(random),
    configurationIndex: safe(random),
  }),
  encode: turnRow.encodeTurnRow,
  decode: (raw) => turnRow.decodeTurnRow(turn, raw),
  refusals: [raftErrors.RaftError],
  sees: 'everything',
  canonical: true,
});

/** Frames that no peer wrote: a head that is nearly right, and whatever it claims. */
const strangers: Target = {
  name: 'frames of strangers',
  attempt(random) {
    const head = Buffer.alloc(20);
    head.write('HF', 0, 'latin1');
    head.set([random.pick([1, 1, 1, u8(random)]), random.int(0, 8)], 2);
    head.writeUInt32BE(random.pick([group, group, group, u32(random)]), 4);
    head.writeUInt32BE(u32(random), 8);
    head.writeUInt32BE(u32(random), 12);
    head.writeUInt32BE(u32(random), 16);
    const read = decoded<number>(stream, Buffer.concat([head, bytes(random, 300)]));
    return read === undefined ? 'refused' : 'accepted';
  },
};

const stream = {
  decode(all: Buffer) {
    const reader = new frame.FrameReader(group, maxFrameBytes);
    let read: number | undefined;
    for (const { checkedBytes } of reader.read(all)) read = (read ?? 0) + checkedBytes;
    return read;
  },
  refusals: [frame.BrokenFrame],
  fixedBufferBytes: maxFrameBytes,
};

export const raftTargets: readonly Target[] = [message, framed, logEntry, entryPayload, turns, strangers];
