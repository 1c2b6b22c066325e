import { expect, test } from 'vitest';
import { StateTooNew } from '../version.ts';
import type { Hold } from '../view.ts';
import { type AnswerRow, decodeAnswer, encodeAnswer } from './answer-row.ts';
import { checkMark, decodeEnded, type EndedRow, encodeEnded, encodeMark } from './ended-row.ts';
import { decodeGroup, encodeGroup, type GroupRow } from './group-row.ts';
import { decodeHold, decodeRetry, encodeHold, encodeRetry } from './hold-row.ts';
import {
  groupOf,
  groupRowPosition,
  Keyspace,
  messagePosition,
  readAnswerTime,
  readEndedTime,
  tables,
  topicOf,
} from './keyspace.ts';
import { decodeMessage, encodeMessage } from './message-row.ts';
import { decodeMeta, encodeMeta, firstMeta, type Meta } from './meta-row.ts';
import { blankRow, CorruptRow, type Row, sealRow } from './row.ts';
import { decodeTopic, encodeTopic, type TopicRow } from './topic-row.ts';

const keys = new Keyspace(1);
const position = { fireAtMs: 1_700_000_000_123, seq: 987_654_321_012 };
const other = { fireAtMs: 1_700_000_000_456, seq: 7 };

const meta = { ...firstMeta, appliedIndex: 5, appliedTerm: 4, clockMs: 3, seq: 2 ** 48 - 1, epoch: 9, beginTerm: 8 };
const wholeMeta = {
  ...meta,
  releaseFromMs: 7,
  graceMs: 3_000,
  horizonSeq: 6,
  nextTopic: 12,
  hash: { kind: 'running' as const, bytes: Buffer.alloc(20, 5) },
};
const meta2: Meta = { ...wholeMeta, activeVersion: 2, hash: { kind: 'rows', sum: Buffer.alloc(16, 3), isWhole: true } };
const topic: TopicRow = {
  number: 3,
  name: 'réminders',
  nextGroup: 2,
  scheduled: 9,
  cancelled: 1,
  stopped: 2,
  delivered: 3,
  skipped: 1,
};
const group: GroupRow = {
  number: 4,
  name: 'mailer',
  state: 'deleting',
  start: other,
  cursor: position,
  config: { maxAttempts: 5, backoffFirstMs: 100, backoffMaxMs: 60_000 },
  acknowledged: 11,
  gone: 10,
  dead: 2,
  outstanding: 3,
};
const hold: Hold = {
  position,
  state: 'retry',
  token: 12_345,
  attempt: 2,
  untilMs: 1_700_000_030_000,
  receiveId: Buffer.alloc(16, 7),
  retryAtMs: other.fireAtMs,
  retrySeq: other.seq,
  reason: 'no luck',
};
const message = { headers: Buffer.from('{"a":1}'), body: Buffer.from('a body') };
const stopped: EndedRow = { kind: 'stopped', attempts: 3, endedAtMs: 1_700_000_000_999 };
const requestHash = Buffer.alloc(16, 3);
const scheduled: AnswerRow = {
  requestHash,
  untilMs: 99,
  answer: { kind: 'scheduled', topic: 3, positions: [position, other] },
};
const leased: AnswerRow = {
  requestHash,
  untilMs: 99,
  answer: { kind: 'cancel', verdict: { kind: 'leased', leasedUntilMs: 5 } },
};

type Case = readonly [name: string, row: Row, decode: (key: Buffer, value: Buffer) => unknown, expected: unknown];

/** Every kind of row, with how it is read. */
const rows: readonly Case[] = [
  ['meta', encodeMeta(keys.single('meta'), wholeMeta), decodeMeta, wholeMeta],
  ['meta of version 2', encodeMeta(keys.single('meta'), meta2), decodeMeta, meta2],
  ['topic', encodeTopic(keys.topic(3), topic), (key, value) => decodeTopic(topicOf(key), key, value), topic],
  ['group', encodeGroup(keys.group(3, 4), group), (key, value) => decodeGroup(groupOf(key), key, value), group],
  ['message', encodeMessage(keys.ofTopic('message', 3, position), message), decodeMessage, message],
  [
    'hold',
    encodeHold(keys.ofGroup('hold', 3, 4, position), hold),
    (key, value) => decodeHold(groupRowPosition(key), key, value),
    hold,
  ],
  ['retry', encodeRetry(keys.ofGroup('retry', 3, 4, other), position), decodeRetry, position],
  ['answer of a schedule', encodeAnswer(keys.answer(3, 'key'), scheduled), decodeAnswer, scheduled],
  ['answer of a cancel', encodeAnswer(keys.answer(3, 'key'), leased), decodeAnswer, leased],
  ['ended', encodeEnded(keys.ofTopic('ended', 3, position), stopped), decodeEnded, stopped],
  ['mark', encodeMark(keys.endedTime(5, 3, position)), checkMark, undefined],
];

test.each(rows)('a %s row is read as it was written', (_name, { key, value }, decode, expected) => {
  expect(decode(key, value)).toEqual(expected);
});

test.each(rows)('a %s row with any one bit flipped, of its key or its value, is corrupt', (_name, row, decode) => {
  for (const part of ['key', 'value'] as const) {
    for (let bit = 0; bit < row[part].length * 8; bit += 1) {
      const key = Buffer.from(row.key);
      const value = Buffer.from(row.value);
      const bytes = part === 'key' ? key : value;
      bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => decode(key, value)).toThrow(CorruptRow);
    }
  }
});

test.each(rows)('a %s row that is cut short anywhere is corrupt', (_name, { key, value }, decode) => {
  for (let length = 0; length < value.length; length += 1) {
    expect(() => decode(key, value.subarray(0, length))).toThrow(CorruptRow);
  }
});

test.each([
  ['another format', 0, 9, /format 9/],
  ['a state that there is not', 1, 9, /hold state 9/],
])('a hold row of %s is corrupt, its checksum notwithstanding', (_what, at, byte, says) => {
  const row = encodeHold(keys.ofGroup('hold', 3, 4, position), hold);
  row.value[at] = byte;
  sealRow(row);
  expect(() => decodeHold(position, row.key, row.value)).toThrow(says);
});

test.each(['cancelled', 'delivered', 'notFound', 'forgotten', 'skipped'] as const)(
  'the answer %s of a cancel is kept',
  (kind) => {
    const answer: AnswerRow = { requestHash, untilMs: 1, answer: { kind: 'cancel', verdict: { kind } } };
    const row = encodeAnswer(keys.answer(1, 'k'), answer);
    expect(decodeAnswer(row.key, row.value)).toEqual(answer);
  },
);

test.each(['cancelled', 'delivered', 'skipped'] as const)('the end %s is kept', (kind) => {
  const row = encodeEnded(keys.ofTopic('ended', 1, position), { kind, endedAtMs: 4 });
  expect(decodeEnded(row.key, row.value)).toEqual({ kind, endedAtMs: 4 });
});

test('the order of keys is the order of time, within their table', () => {
  const positions = [
    { fireAtMs: 0, seq: 1 },
    { fireAtMs: 255, seq: 2 ** 40 },
    { fireAtMs: 256, seq: 0 },
    { fireAtMs: 256, seq: 255 },
    { fireAtMs: 256, seq: 256 },
    { fireAtMs: 2 ** 40, seq: 1 },
  ];
  for (const table of ['message', 'ended'] as const) {
    const sorted = positions.map((at) => keys.ofTopic(table, 1, at));
    expect(sorted.toReversed().sort((a, b) => Buffer.compare(a, b))).toEqual(sorted);
    expect(sorted.map(messagePosition)).toEqual(positions);
  }
});

test('keys say what is in them', () => {
  expect(readAnswerTime(keys.answerTime(77, 3, 'schlüssel'))).toEqual({ untilMs: 77, topic: 3, key: 'schlüssel' });
  expect(readEndedTime(keys.endedTime(77, 3, position))).toEqual({ endedAtMs: 77, topic: 3, position });
  expect(keys.single('meta').toString('hex')).toBe('020000000101');
  expect(new Keyspace(258).single('fence').toString('hex')).toBe('0200000102ff');
});

test('no two tables share a number, and the fence is the last', () => {
  const numbers = Object.values(tables);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(Math.max(...numbers)).toBe(tables.fence);
});

test('a mark with a value is corrupt', () => {
  const row = sealRow(blankRow(keys.endedTime(1, 1, position), 1));
  expect(() => checkMark(row.key, row.value)).toThrow(CorruptRow);
});

test.each([
  ['version 2 in the first format', 0, 1],
  ['version 1 in the second format', 2, 1],
  ['a format that there is not', 0, 3],
  ['a flag that is neither 0 nor 1', 73, 2],
])('a meta row of %s is corrupt', (_what, at, byte) => {
  const row = encodeMeta(keys.single('meta'), meta2);
  row.value[at] = byte;
  sealRow(row);
  expect(() => decodeMeta(row.key, row.value)).toThrow(CorruptRow);
});

test('a state of a version that is not known yet is told from a corrupt one, whatever its format', () => {
  const row = encodeMeta(keys.single('meta'), { ...meta2, activeVersion: 3 });
  row.value[0] = 7;
  sealRow(row);
  expect(() => decodeMeta(row.key, row.value)).toThrow(StateTooNew);
  expect(() => decodeMeta(row.key, row.value)).toThrow('of version 3, and this build knows up to 2');
  row.value[9] = 1;
  expect(() => decodeMeta(row.key, row.value)).toThrow(CorruptRow);
});

test('a message row whose lengths do not add up is corrupt, its checksum notwithstanding', () => {
  const row = encodeMessage(keys.ofTopic('message', 3, position), message);
  row.value.writeUInt32BE(5, 15);
  sealRow(row);
  expect(() => decodeMessage(row.key, row.value)).toThrow('its lengths do not add up');
});
