// The bytes of a message. Laid out by hand: a decoder of self-describing data would have to be trusted with lengths that
// a stranger wrote. Entries follow as the bytes that lie on the leader's disk, and are never encoded again.
//
//   offset  bytes  field
//   0       1      kind, by its place in the table below
//   1       8      the sender's wall time in ms, as a double
//   9              the fields of the kind in the order of the table: numbers 8 bytes, truth 1 byte
//                  an append then has the number of entries (4) and the bytes of each (4), and the entries follow
import type { Entry, Message, MessageBody, MessageKind, NodeId } from '../core/message.ts';
import { CorruptEntry, decodeEntry } from '../log/entry.ts';
import { readSafeInteger, writeSafeInteger } from '../log/safe-integer.ts';
import { brings, type ProtocolVersion } from '../versions.ts';
import type { Sample } from './transport.ts';

/** A place in this list is on the wire: new kinds are added at its end. */
const kinds = [
  'preVoteRequest',
  'voteRequest',
  'preVoteResponse',
  'voteResponse',
  'appendRequest',
  'appendResponse',
  'heartbeat',
  'heartbeatResponse',
  'timeoutNow',
  'readRequest',
  'readResponse',
] as const satisfies readonly MessageKind[];

/** How many of the kinds a version knows. */
const kindsOfVersion: Readonly<Record<ProtocolVersion, number>> = { 1: 8, 2: kinds.length };

const headBytes = 9;
const maxFieldsBytes = 6 * 8 + 1;

/** Bytes that are no message. */
export class CorruptMessage extends Error {
  constructor(what: string) {
    super(`not a message: ${what}`);
    this.name = 'CorruptMessage';
  }
}

/** The bytes of a message: `head`, and after it the `bytes` of each entry. Together they are what `decodeMessage` reads. */
export interface EncodedMessage {
  /** To be covered by a checksum of the transport; entries carry their own. */
  readonly head: Uint8Array;
  readonly entries: readonly Entry[];
  readonly entriesBytes: number;
}

/**
 * Undefined when a peer of this version does not know such messages.
 * @param wallMs the sender's wall time, for `Sample`
 */
export function encodeMessage(
  message: MessageBody,
  wallMs: number,
  version: ProtocolVersion,
): EncodedMessage | undefined {
  const kind = kinds.indexOf(message.kind);
  if (kind >= kindsOfVersion[version]) return undefined;
  const entries = message.kind === 'appendRequest' ? message.entries : [];
  const writer = new FieldWriter(headBytes + maxFieldsBytes + 4 + 4 * entries.length);
  writer.byte(kind);
  writer.double(wallMs);
  writeFields(writer, message, version);
  let entriesBytes = 0;
  if (message.kind === 'appendRequest') {
    writer.count(entries.length);
    for (const { bytes } of entries) {
      writer.count(bytes.length);
      entriesBytes += bytes.length;
    }
  }
  return { head: writer.written(), entries, entriesBytes };
}

function writeFields(writer: FieldWriter, message: MessageBody, version: ProtocolVersion): void {
  writer.number(message.term);
  switch (message.kind) {
    case 'preVoteRequest':
    case 'voteRequest':
      writer.number(message.lastIndex);
      writer.number(message.lastTerm);
      return brings(version, 'transfer') ? writer.truth(message.transfer) : undefined;
    case 'preVoteResponse':
    case 'voteResponse':
      return writer.truth(message.granted);
    case 'appendRequest':
      writer.number(message.previousIndex);
      writer.number(message.previousTerm);
      return writer.number(message.commit);
    case 'appendResponse':
      writer.truth(message.accepted);
      writer.number(message.index);
      writer.number(message.hintIndex);
      writer.number(message.hintTerm);
      return writer.number(message.applied);
    case 'heartbeat':
      writer.number(message.commit);
      return brings(version, 'readIndex') ? writer.number(message.round) : undefined;
    case 'heartbeatResponse':
      writer.number(message.applied);
      return brings(version, 'readIndex') ? writer.number(message.round) : undefined;
    case 'timeoutNow':
      return;
    case 'readRequest':
      return writer.number(message.context);
    case 'readResponse':
      writer.number(message.context);
      writer.truth(message.granted);
      return writer.number(message.index);
  }
}

/**
 * @param from,to known from the handshake
 * @param checkedBytes how much of the body the frame's checksum has covered: all that comes before the entries
 * @throws CorruptMessage
 */
export function decodeMessage(
  body: Buffer,
  checkedBytes: number,
  from: NodeId,
  to: NodeId,
  version: ProtocolVersion,
): { readonly message: Message; readonly sample: Sample } {
  const reader = new FieldReader(body.subarray(0, checkedBytes));
  const kind = kinds[reader.byte()];
  if (kind === undefined || kinds.indexOf(kind) >= kindsOfVersion[version])
    throw new CorruptMessage('its kind is not known');
  const wallMs = reader.double();
  const read = readers[kind](reader.number(), reader, version);
  const entries = read.kind === 'appendRequest' ? readEntries(reader, body, checkedBytes, read.previousIndex) : [];
  reader.end();
  if (read.kind !== 'appendRequest' && body.length !== checkedBytes) throw new CorruptMessage('bytes follow it');
  const message = read.kind === 'appendRequest' ? { ...read, entries, from, to } : { ...read, from, to };
  return { message, sample: { wallMs } };
}

type Reader<K extends MessageKind> = (term: number, reader: FieldReader, version: ProtocolVersion) => MessageBody<K>;

// What version 1 does not say: no transfer, and a round that confirms no read.
const transferOf = (reader: FieldReader, version: ProtocolVersion): boolean =>
  brings(version, 'transfer') && reader.truth();
const roundOf = (reader: FieldReader, version: ProtocolVersion): number =>
  brings(version, 'readIndex') ? reader.number() : 0;

const readers: { readonly [K in MessageKind]: Reader<K> } = {
  preVoteRequest: (term, reader, version) => ({
    kind: 'preVoteRequest',
    term,
    lastIndex: reader.number(),
    lastTerm: reader.number(),
    transfer: transferOf(reader, version),
  }),
  voteRequest: (term, reader, version) => ({
    kind: 'voteRequest',
    term,
    lastIndex: reader.number(),
    lastTerm: reader.number(),
    transfer: transferOf(reader, version),
  }),
  preVoteResponse: (term, reader) => ({ kind: 'preVoteResponse', term, granted: reader.truth() }),
  voteResponse: (term, reader) => ({ kind: 'voteResponse', term, granted: reader.truth() }),
  appendRequest: (term, reader) => ({
    kind: 'appendRequest',
    term,
    previousIndex: reader.number(),
    previousTerm: reader.number(),
    commit: reader.number(),
    entries: [],
  }),
  appendResponse: (term, reader) => ({
    kind: 'appendResponse',
    term,
    accepted: reader.truth(),
    index: reader.number(),
    hintIndex: reader.number(),
    hintTerm: reader.number(),
    applied: reader.number(),
  }),
  heartbeat: (term, reader, version) => ({
    kind: 'heartbeat',
    term,
    commit: reader.number(),
    round: roundOf(reader, version),
  }),
  heartbeatResponse: (term, reader, version) => ({
    kind: 'heartbeatResponse',
    term,
    applied: reader.number(),
    round: roundOf(reader, version),
  }),
  timeoutNow: (term) => ({ kind: 'timeoutNow', term }),
  readRequest: (term, reader) => ({ kind: 'readRequest', term, context: reader.number() }),
  readResponse: (term, reader) => ({
    kind: 'readResponse',
    term,
    context: reader.number(),
    granted: reader.truth(),
    index: reader.number(),
  }),
};

function readEntries(reader: FieldReader, body: Buffer, from: number, previousIndex: number): readonly Entry[] {
  const entries: Entry[] = [];
  let at = from;
  for (let left = reader.count(); left > 0; left--) {
    const end = at + reader.count();
    if (end > body.length) throw new CorruptMessage('an entry is cut');
    const entry = checked(body.subarray(at, end));
    if (entry.index !== previousIndex + 1 + entries.length)
      throw new CorruptMessage('its entries do not follow each other');
    entries.push(entry);
    at = end;
  }
  if (at !== body.length) throw new CorruptMessage('bytes follow its entries');
  return entries;
}

function checked(bytes: Buffer): Entry {
  try {
    return decodeEntry(bytes);
  } catch (error) {
    throw error instanceof CorruptEntry ? new CorruptMessage(error.message) : error;
  }
}

class FieldWriter {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(maxBytes: number) {
    this.#bytes = Buffer.allocUnsafe(maxBytes);
  }

  byte(value: number): void {
    this.#at = this.#bytes.writeUInt8(value, this.#at);
  }

  truth(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  count(value: number): void {
    this.#at = this.#bytes.writeUInt32BE(value, this.#at);
  }

  number(value: number): void {
    writeSafeInteger(this.#bytes, value, this.#at);
    this.#at += 8;
  }

  double(value: number): void {
    this.#at = this.#bytes.writeDoubleBE(value, this.#at);
  }

  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }
}

class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  truth(): boolean {
    const value = this.byte();
    if (value > 1) throw new CorruptMessage('a truth is neither 0 nor 1');
    return value === 1;
  }

  count(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  number(): number {
    const value = readSafeInteger(this.#bytes, this.#take(8));
    if (value === undefined) throw new CorruptMessage('a number is not safe');
    return value;
  }

  double(): number {
    const value = this.#bytes.readDoubleBE(this.#take(8));
    if (!Number.isFinite(value)) throw new CorruptMessage('a time is none');
    return value;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new CorruptMessage('bytes follow its fields');
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#bytes.length) throw new CorruptMessage('a field is missing');
    this.#at += bytes;
    return at;
  }
}
