// Bytes -> command, at every replica. Whatever the bytes are, the answer is a command whose every field is in range, or
// undefined: what one replica refuses, all refuse.
import { commandBounds as bounds } from '../bounds.ts';
import type { CollectStep, Command, CommandKind, CommandOf, Idempotency, LeaseRef, NewMessage } from '../command.ts';
import { ByteReader, Undecodable } from './bytes.ts';
import { commandFormat, deliverAtCodes, kindCodes, startCodes, stepCodes } from './kinds.ts';

/** Delays, leases and keeping times: at most 100 years, so that the clock and a delay together fit into 48 bits. */
const maxDelayMs = 100 * 366 * 24 * 3_600_000;
/** The end of the year 9999. */
const maxTimeMs = 253_402_300_799_999;

/**
 * Bodies, headers and receive ids of the command are views into `bytes`.
 *
 * @returns undefined for what is no command of this format
 */
export function decodeCommand(bytes: Uint8Array): Command | undefined {
  try {
    const input = new ByteReader(bytes);
    if (input.u8() !== commandFormat) return undefined;
    const read = readers.get(input.u8());
    if (read === undefined) return undefined;
    const command = read(input);
    input.end();
    return command;
  } catch (error) {
    if (error instanceof Undecodable) return undefined;
    throw error;
  }
}

const byKind: { readonly [K in CommandKind]: (input: ByteReader) => CommandOf<K> } = {
  begin: (input) => ({ kind: 'begin', graceMs: input.u32() }),
  tick: () => ({ kind: 'tick' }),
  schedule: (input) => ({
    kind: 'schedule',
    topic: readName(input),
    idempotency: readIdempotency(input),
    messages: input.list(() => readMessage(input)),
  }),
  createGroup: (input) => ({
    kind: 'createGroup',
    topic: readName(input),
    group: readName(input),
    start: readStart(input),
    config: {
      maxAttempts: readAtLeastOne(input.u32()),
      backoffFirstMs: readDelay(input),
      backoffMaxMs: readDelay(input),
    },
    replaceConfig: input.flag(),
  }),
  deleteGroup: (input) => ({ kind: 'deleteGroup', topic: input.u32(), group: input.u32() }),
  lease: readLease,
  ack: (input) => ({ kind: 'ack', topic: input.u32(), group: input.u32(), leases: readRefs(input) }),
  nack: (input) => ({
    kind: 'nack',
    topic: input.u32(),
    group: input.u32(),
    leases: input.list(() => ({
      ...readRef(input),
      delayMs: readDelay(input),
      reason: input.text(0, bounds.reasonBytes),
    })),
  }),
  extend: (input) => ({
    kind: 'extend',
    topic: input.u32(),
    group: input.u32(),
    leaseMs: readAtLeastOne(readDelay(input)),
    leases: readRefs(input),
  }),
  cancel: (input) => ({
    kind: 'cancel',
    topic: input.u32(),
    position: input.position(),
    idempotency: readIdempotency(input),
  }),
  release: (input) => ({
    kind: 'release',
    topic: input.u32(),
    group: input.u32(),
    leases: input.list(() => ({ ...readRef(input), delayMs: readDelay(input) })),
  }),
  giveBack: (input) => ({ kind: 'giveBack', topic: input.u32(), group: input.u32(), leases: readRefs(input) }),
  collect: (input) => ({ kind: 'collect', steps: input.list(() => readStep(input)) }),
  activate: (input) => ({ kind: 'activate', version: readAtLeastOne(input.u16()) }),
};

const readers = new Map<number, (input: ByteReader) => Command>();
for (const [kind, read] of Object.entries(byKind)) readers.set(kindCodes[kind as CommandKind], read);

function readLease(input: ByteReader): CommandOf<'lease'> {
  const topic = input.u32();
  const group = input.u32();
  const cursor = input.flag() ? { from: input.position(), to: input.position() } : undefined;
  // Copied: the hold and the scheduler keep the receive id far longer than the entry's bytes are wanted.
  const receives = input.list(() => ({
    receiveId: Buffer.from(input.fixed(16)),
    leaseMs: readAtLeastOne(readDelay(input)),
  }));
  const readReceive = (): number => {
    const receive = input.u16();
    // A row for nobody would be passed by the cursor and leased to nobody: lost.
    if (receive >= receives.length) throw new Undecodable(`receive ${receive} of ${receives.length}`);
    return receive;
  };
  const lane = input.list(() => ({ position: input.position(), receive: readReceive() }));
  const retries = input.list(() => ({
    position: input.position(),
    retryAtMs: input.u48(),
    retrySeq: input.u48(),
    receive: readReceive(),
  }));
  return { kind: 'lease', topic, group, cursor, receives, lane, retries };
}

function readMessage(input: ByteReader): NewMessage {
  const code = input.u8();
  const at =
    code === deliverAtCodes.time
      ? ({ kind: 'time', timeMs: readTime(input) } as const)
      : code === deliverAtCodes.delay
        ? ({ kind: 'delay', delayMs: readDelay(input) } as const)
        : undefined;
  if (at === undefined) throw new Undecodable(`deliver time of kind ${code}`);
  return { at, headers: input.blob(), body: input.blob() };
}

function readStart(input: ByteReader): CommandOf<'createGroup'>['start'] {
  const code = input.u8();
  switch (code) {
    case startCodes.earliest:
      return { kind: 'earliest' };
    case startCodes.now:
      return { kind: 'now' };
    case startCodes.time:
      return { kind: 'time', timeMs: readTime(input) };
    default:
      throw new Undecodable(`start of kind ${code}`);
  }
}

function readStep(input: ByteReader): CollectStep {
  const code = input.u8();
  switch (code) {
    case stepCodes.answers:
      return {
        kind: 'answers',
        topic: input.u32(),
        keys: input.list(() => ({ key: input.text(1, bounds.idempotencyKeyBytes), untilMs: input.u48() })),
      };
    case stepCodes.ended:
      return {
        kind: 'ended',
        rows: input.list(() => ({ topic: input.u32(), position: input.position(), endedAtMs: input.u48() })),
      };
    case stepCodes.messages:
      return { kind: 'messages', topic: input.u32(), positions: input.list(() => input.position()) };
    case stepCodes.group:
      return {
        kind: 'group',
        topic: input.u32(),
        group: input.u32(),
        holds: input.list(() => input.position()),
        last: input.flag(),
      };
    default:
      throw new Undecodable(`step of kind ${code}`);
  }
}

function readIdempotency(input: ByteReader): Idempotency | undefined {
  if (!input.flag()) return undefined;
  return {
    key: input.text(1, bounds.idempotencyKeyBytes),
    requestHash: input.fixed(16),
    keepMs: readAtLeastOne(readDelay(input)),
  };
}

function readRef(input: ByteReader): LeaseRef {
  return { position: input.position(), token: input.u48() };
}

function readRefs(input: ByteReader): LeaseRef[] {
  return input.list(() => readRef(input));
}

function readName(input: ByteReader): string {
  return input.text(1, bounds.nameBytes);
}

function readDelay(input: ByteReader): number {
  const delayMs = input.u48();
  if (delayMs > maxDelayMs) throw new Undecodable(`a delay of ${delayMs} ms`);
  return delayMs;
}

function readTime(input: ByteReader): number {
  const timeMs = input.u48();
  if (timeMs > maxTimeMs) throw new Undecodable(`a time of ${timeMs} ms`);
  return timeMs;
}

function readAtLeastOne(value: number): number {
  if (value < 1) throw new Undecodable('a zero where none can be');
  return value;
}
