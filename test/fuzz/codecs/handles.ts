// What users hold in their hands, what stands in front of an entry, and keys: small things that must not be mistaken.
import type { Random } from '../../simulator/random.ts';
import { list, position, text, u32, u48 } from '../draw.ts';
import { headers, ids, rows, stamp } from '../internals.ts';
import { Fault, type Target, targetOf } from '../target.ts';

const ref = (random: Random) => ({ epoch: u32(random), topic: u32(random), position: position(random) });
const textOf = (bytes: Buffer): string => bytes.toString('latin1');
const bytesOf = (handle: string): Buffer => Buffer.from(handle, 'latin1');

const id = targetOf({
  name: 'message id',
  draw: ref,
  encode: (value) => bytesOf(ids.encodeId(value)),
  decode: (bytes) => ids.decodeId(textOf(bytes)),
  sees: 'typing errors',
  canonical: true,
});

const cursor = targetOf({
  name: 'cursor',
  draw: ref,
  encode: (value) => bytesOf(ids.encodeCursor(value)),
  decode: (bytes) => ids.decodeCursor(textOf(bytes)),
  sees: 'typing errors',
  canonical: true,
});

const receipt = targetOf({
  name: 'receipt',
  draw: (random) => ({ ...ref(random), group: u32(random), token: u48(random) }),
  encode: (value) => bytesOf(ids.encodeReceipt(value)),
  decode: (bytes) => ids.decodeReceipt(textOf(bytes)),
  sees: 'typing errors',
  canonical: true,
});

const base64url = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

/** One wrong character, or two neighbours in each other's place: what a person does. */
const typingErrors: Target = {
  name: 'typing errors in handles',
  attempt(random) {
    const whole = random.chance(0.5)
      ? ids.encodeReceipt({ ...ref(random), group: u32(random), token: u48(random) })
      : random.pick([ids.encodeId, ids.encodeCursor])(ref(random));
    const at = random.int(0, whole.length - 2);
    const [one = '', other = ''] = whole.slice(at, at + 2);
    const wrong = random.chance(0.5) ? other + one : random.pick(base64url) + other;
    const mistyped = whole.slice(0, at) + wrong + whole.slice(at + 2);
    const read = ids.decodeId(mistyped) ?? ids.decodeCursor(mistyped) ?? ids.decodeReceipt(mistyped);
    if (read === undefined) return 'refused';
    if (mistyped === whole) return 'agreed';
    throw new Fault(`${mistyped} is taken, and was ${whole}`);
  },
};

/** An id is no cursor, and a cursor no receipt. */
const kindsOfHandles: Target = {
  name: 'kinds of handles',
  attempt(random) {
    const one = ref(random);
    const mistaken =
      ids.decodeCursor(ids.encodeId(one)) ??
      ids.decodeId(ids.encodeCursor(one)) ??
      ids.decodeReceipt(ids.encodeId(one));
    if (mistaken !== undefined) throw new Fault(`${JSON.stringify(one)} is taken for another kind of handle`);
    return 'agreed';
  },
};

const stamps = targetOf<number>({
  name: 'stamp',
  draw: u48,
  encode: stamp.encodeStamp,
  decode: stamp.decodeStamp,
  refusals: [RangeError],
  sees: 'nothing',
  canonical: true,
});

/** Their bytes lie inside a row with a checksum, so damage is not tried. */
const messageHeaders: Target = {
  name: 'headers of a message',
  attempt(random) {
    const drawn = Object.fromEntries(
      list(random, 6, () => [random.pick(['a', 'content-type', 'constructor', 'z9']), text(random, 0, 30)]),
    );
    const encoded = headers.encodeHeaders(drawn);
    const read = headers.decodeHeaders(encoded);
    const sorted = (of: Readonly<Record<string, string>>): string =>
      JSON.stringify(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)));
    if (sorted(read) !== sorted(drawn)) throw new Fault(`${JSON.stringify(drawn)} became ${JSON.stringify(read)}`);
    if (!Buffer.from(headers.encodeHeaders(read)).equals(encoded))
      throw new Fault(`${sorted(drawn)} has two encodings`);
    return 'agreed';
  },
};

const keys = new rows.Keyspace(1);

/** The order of the bytes of two keys is the order of what is in them; and it is read back. */
const orderOfKeys: Target = {
  name: 'order of keys',
  attempt(random) {
    const [a, b] = [position(random), position(random)];
    const [topic, group] = [u32(random), u32(random)];
    const expected = Math.sign(a.fireAtMs - b.fireAtMs) || Math.sign(a.seq - b.seq);
    for (const keyOf of [
      (at: typeof a) => keys.ofTopic('message', topic, at),
      (at: typeof a) => keys.ofGroup('retry', topic, group, at),
      (at: typeof a) => keys.endedTime(at.fireAtMs, 0, { fireAtMs: at.seq, seq: 0 }),
    ])
      if (Buffer.compare(keyOf(a), keyOf(b)) !== expected)
        throw new Fault(`keys of ${JSON.stringify(a)} and ${JSON.stringify(b)} are in another order than they`);
    const name = text(random, 1, 20);
    const read = [
      rows.messagePosition(keys.ofTopic('message', topic, a)),
      rows.groupRowPosition(keys.ofGroup('hold', topic, group, a)),
      rows.readAnswerTime(keys.answerTime(a.seq, topic, name)),
      rows.readEndedTime(keys.endedTime(a.seq, topic, b)),
    ];
    const wanted = [a, a, { untilMs: a.seq, topic, key: name }, { endedAtMs: a.seq, topic, position: b }];
    if (JSON.stringify(read) !== JSON.stringify(wanted))
      throw new Fault(`keys of ${JSON.stringify(wanted)} say ${JSON.stringify(read)}`);
    return 'agreed';
  },
};

export const handleTargets: readonly Target[] = [
  id,
  cursor,
  receipt,
  typingErrors,
  kindsOfHandles,
  stamps,
  messageHeaders,
  orderOfKeys,
];
