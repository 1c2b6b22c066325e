// The bytes of one log entry: what lies on every disk and travels to every follower, made once by the leader.
//
//   offset  bytes  field
//   0       1      format, 1
//   1       1      kind: 0 empty, 1 commands, 2 configuration
//   2       2      0, kept for later
//   4       8      term
//   12      8      index
//   20      4      bytes of the payload
//   24      4      CRC-32 of bytes 0 to 23 and of the payload
//   28             payload
//
// The payload of `commands` is one group commit (log/payload.ts); the payload of `empty` has no bytes, that of
// `configuration` is one (core/membership/configuration.ts).
import { strict as assert } from 'node:assert';
import { crc32 } from 'node:zlib';
import type { Entry, EntryKind } from '../core/message.ts';
import { readSafeInteger, writeSafeInteger } from './safe-integer.ts';

const entryHeadBytes = 28;
const format = 1;
const checksumAt = 24;
const kindCodes: Readonly<Record<EntryKind, number>> = { empty: 0, commands: 1, configuration: 2 };
const kindOfCode: readonly (EntryKind | undefined)[] = ['empty', 'commands', 'configuration'];

/** Bytes that are no entry. The caller knows where they came from, and what that means: a damaged disk, or a broken peer. */
export class CorruptEntry extends Error {
  constructor(what: string) {
    super(`not a log entry: ${what}`);
    this.name = 'CorruptEntry';
  }
}

/**
 * Encodes an entry; its payload then is a view into its bytes, so an entry is held once. Pure.
 * @throws AssertionError where index or term is no safe integer above 0
 */
export function encodeEntry(index: number, term: number, kind: EntryKind, payload: Uint8Array): Entry {
  assert(Number.isSafeInteger(index) && index > 0 && Number.isSafeInteger(term) && term > 0);
  const bytes = Buffer.allocUnsafe(entryHeadBytes + payload.length);
  bytes.writeUInt8(format, 0);
  bytes.writeUInt8(kindCodes[kind], 1);
  bytes.writeUInt16BE(0, 2);
  writeSafeInteger(bytes, term, 4);
  writeSafeInteger(bytes, index, 12);
  bytes.writeUInt32BE(payload.length, 20);
  bytes.set(payload, entryHeadBytes);
  bytes.writeUInt32BE(checksumOf(bytes), checksumAt);
  return { index, term, kind, payload: bytes.subarray(entryHeadBytes), bytes };
}

/**
 * Reads an entry without copying it.
 * @throws CorruptEntry when it is short or long, of another format or kind, or its checksum differs
 */
export function decodeEntry(raw: Uint8Array): Entry {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (bytes.length < entryHeadBytes) throw new CorruptEntry(`${bytes.length} bytes are less than a head`);
  if (bytes.readUInt8(0) !== format) throw new CorruptEntry(`format ${bytes.readUInt8(0)} is not known`);
  if (bytes.readUInt32BE(checksumAt) !== checksumOf(bytes)) throw new CorruptEntry('its checksum differs');
  const kind = kindOfCode[bytes.readUInt8(1)];
  const term = readSafeInteger(bytes, 4);
  const index = readSafeInteger(bytes, 12);
  if (kind === undefined) throw new CorruptEntry(`kind ${bytes.readUInt8(1)} is not known`);
  if (term === undefined || index === undefined || term < 1 || index < 1)
    throw new CorruptEntry('its term or index is none');
  if (bytes.readUInt32BE(20) !== bytes.length - entryHeadBytes) throw new CorruptEntry('its length differs');
  return { index, term, kind, payload: bytes.subarray(entryHeadBytes), bytes };
}

function checksumOf(bytes: Buffer): number {
  return crc32(bytes.subarray(entryHeadBytes), crc32(bytes.subarray(0, checksumAt)));
}
