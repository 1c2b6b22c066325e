// Rows of the state: what lies on disk, and what comes from another node's snapshot.
import { CorruptRow, newestVersion, StateTooNew } from '@holdfast/store';
import type { Random } from '../../simulator/random.ts';
import { bytes, list, position, text, truth, u8, u32, u48 } from '../draw.ts';
import { rows } from '../internals.ts';
import { Fault, type Target, targetOf } from '../target.ts';

const keys = new rows.Keyspace(1);
const hash = (random: Random): Buffer => Buffer.from(random.bytes(16));

interface Drawn<Value> {
  readonly key: Buffer;
  readonly value: Value;
}
interface Layout<Value> {
  readonly name: string;
  readonly draw: (random: Random) => Drawn<Value>;
  readonly encode: (key: Buffer, value: Value) => { readonly key: Buffer; readonly value: Buffer };
  readonly decode: (key: Buffer, value: Buffer) => Value;
}

const cancelVerdict = (random: Random) =>
  random.pick([
    { kind: 'cancelled' },
    { kind: 'stopped', attempts: u32(random) },
    { kind: 'delivered' },
    { kind: 'skipped' },
    { kind: 'leased', leasedUntilMs: u48(random) },
    { kind: 'notFound' },
    { kind: 'forgotten' },
  ] as const);

const layout = <Value>(of: Layout<Value>): Layout<Value> => of;

/** The hash of version 1 is another one than that of those after it. */
const versionAndHash = (random: Random) =>
  truth(random)
    ? { activeVersion: random.int(0, 1), hash: { kind: 'running', bytes: Buffer.from(random.bytes(20)) } as const }
    : {
        activeVersion: random.int(2, newestVersion),
        hash: { kind: 'rows', sum: hash(random), isWhole: truth(random) } as const,
      };

const meta = layout<ReturnType<typeof rows.decodeMeta>>({
  name: 'row meta',
  draw: (random) => ({
    key: keys.single('meta'),
    value: {
      ...versionAndHash(random),
      appliedIndex: u48(random),
      appliedTerm: u48(random),
      clockMs: u48(random),
      seq: u48(random),
      epoch: u32(random),
      beginTerm: u48(random),
      releaseFromMs: u48(random),
      graceMs: u32(random),
      horizonSeq: u48(random),
      nextTopic: u32(random),
    },
  }),
  encode: rows.encodeMeta,
  decode: rows.decodeMeta,
});

const topic = layout({
  name: 'row topic',
  draw: (random) => {
    const number = u32(random);
    const counts = {
      nextGroup: u32(random),
      scheduled: u48(random),
      cancelled: u48(random),
      stopped: u48(random),
      delivered: u48(random),
      skipped: u48(random),
    };
    return { key: keys.topic(number), value: { number, name: text(random, 1, 20), ...counts } };
  },
  encode: rows.encodeTopic,
  decode: (key, value) => rows.decodeTopic(rows.topicOf(key), key, value),
});

const group = layout({
  name: 'row group',
  draw: (random) => {
    const number = u32(random);
    const value = {
      number,
      name: text(random, 1, 20),
      state: random.pick(['active', 'deleting'] as const),
      start: position(random),
      cursor: position(random),
      config: { maxAttempts: u32(random), backoffFirstMs: u48(random), backoffMaxMs: u48(random) },
      acknowledged: u48(random),
      gone: u48(random),
      dead: u48(random),
      outstanding: u48(random),
    };
    return { key: keys.group(u32(random), number), value };
  },
  encode: rows.encodeGroup,
  decode: (key, value) => rows.decodeGroup(rows.groupOf(key), key, value),
});

const message = layout<{ readonly headers: Uint8Array; readonly body: Uint8Array }>({
  name: 'row message',
  draw: (random) => ({
    key: keys.ofTopic('message', u32(random), position(random)),
    value: { headers: bytes(random), body: bytes(random) },
  }),
  encode: rows.encodeMessage,
  decode: rows.decodeMessage,
});

const hold = layout<ReturnType<typeof rows.decodeHold>>({
  name: 'row hold',
  draw: (random) => {
    const at = position(random);
    const value = {
      position: at,
      state: random.pick(['leased', 'retry', 'aside', 'dead'] as const),
      token: u48(random),
      attempt: u32(random),
      untilMs: u48(random),
      receiveId: hash(random),
      retryAtMs: u48(random),
      retrySeq: u48(random),
      reason: text(random, 0, 20),
    };
    return { key: keys.ofGroup('hold', u32(random), u32(random), at), value };
  },
  encode: rows.encodeHold,
  decode: (key, value) => rows.decodeHold(rows.groupRowPosition(key), key, value),
});

const retry = layout({
  name: 'row retry',
  draw: (random) => ({
    key: keys.ofGroup('retry', u32(random), u32(random), position(random)),
    value: position(random),
  }),
  encode: rows.encodeRetry,
  decode: rows.decodeRetry,
});

const answer = layout<ReturnType<typeof rows.decodeAnswer>>({
  name: 'row answer',
  draw: (random) => ({
    key: keys.answer(u32(random), text(random, 1, 20)),
    value: {
      requestHash: hash(random),
      untilMs: u48(random),
      answer: truth(random)
        ? { kind: 'scheduled', topic: u32(random), positions: list(random, 5, () => position(random)) }
        : { kind: 'cancel', verdict: cancelVerdict(random) },
    },
  }),
  encode: rows.encodeAnswer,
  decode: rows.decodeAnswer,
});

const ended = layout<ReturnType<typeof rows.decodeEnded>>({
  name: 'row ended',
  draw: (random) => {
    const end = random.pick([
      { kind: 'cancelled' },
      { kind: 'stopped', attempts: u32(random) },
      { kind: 'delivered' },
      { kind: 'skipped' },
    ] as const);
    return { key: keys.ofTopic('ended', u32(random), position(random)), value: { ...end, endedAtMs: u48(random) } };
  },
  encode: rows.encodeEnded,
  decode: rows.decodeEnded,
});

const mark = layout<'mark'>({
  name: 'row mark',
  draw: (random) => ({ key: keys.endedTime(u48(random), u32(random), position(random)), value: 'mark' }),
  encode: (key) => rows.encodeMark(key),
  decode: (key, value) => {
    rows.checkMark(key, value);
    return 'mark';
  },
});

/** Key and value stand behind each other, so that damage hits both; how long the key is, the database knows. */
function targetOfRow<Value>({ name, draw, encode, decode }: Layout<Value>): Target {
  return {
    name,
    attempt(random) {
      const drawn = draw(random);
      const keyBytes = drawn.key.length;
      return targetOf<Value>({
        name,
        draw: () => drawn.value,
        encode: (value) => {
          const row = encode(drawn.key, value);
          return Buffer.concat([row.key, row.value]);
        },
        decode: (both) =>
          both.length < keyBytes ? undefined : decode(both.subarray(0, keyBytes), both.subarray(keyBytes)),
        refusals: [CorruptRow],
        sees: 'everything',
        canonical: true,
      }).attempt(random);
    },
  };
}

/** Sometimes shorter or longer; the last four bytes are the checksum's, which is made anew. */
function resized(random: Random, value: Buffer): Buffer {
  const chance = random.next();
  if (chance < 0.3) return Buffer.from(value.subarray(0, Math.max(4, value.length - random.int(0, 30))));
  return Buffer.concat([value, random.bytes(chance < 0.5 ? random.int(1, 30) : 0)]);
}

/** A row with a checksum that is right and fields that are not: a broken peer can send it in a snapshot. */
function foreign<Value>({ name, draw, encode, decode }: Layout<Value>): Target {
  return {
    name: `foreign ${name}`,
    attempt(random) {
      const { key, value } = draw(random);
      const row = encode(key, value);
      const body = resized(random, row.value);
      for (let left = random.int(1, 3); left > 0 && body.length > 4; left--)
        body[random.int(0, body.length - 5)] = u8(random);
      const sealed = rows.sealRow({ key: row.key, value: body });
      try {
        rows.checkRow(sealed.key, sealed.value);
      } catch (error) {
        if (error instanceof CorruptRow || error instanceof StateTooNew) return 'refused';
        throw new Fault(`${body.toString('hex')}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
      }
      try {
        decode(sealed.key, sealed.value);
      } catch (error) {
        throw new Fault(`passes the check, and cannot be read: ${body.toString('hex')}: ${String(error)}`);
      }
      return 'accepted';
    },
  };
}

const targetsOf = <Value>(one: Layout<Value>): readonly Target[] => [targetOfRow(one), foreign(one)];

export const rowTargets: readonly Target[] = [
  ...targetsOf(meta),
  ...targetsOf(topic),
  ...targetsOf(group),
  ...targetsOf(message),
  ...targetsOf(hold),
  ...targetsOf(retry),
  ...targetsOf(answer),
  ...targetsOf(ended),
  ...targetsOf(mark),
];
