// The opaque handles that users hold: message ids, receipts and list cursors. Each names rows by number, so that it is
// found without an index, and each ends in a checksum, so that a typing error is refused and never names another row.
//
//   id, cursor   format 1 | epoch 4 | topic 4 | fireAtMs 6 | seq 6 | check 3                        24 bytes, 32 characters
//   receipt      format 1 | epoch 4 | topic 4 | group 4 | fireAtMs 6 | seq 6 | token 6 | check 2    33 bytes, 44 characters
//
// Numbers are as wide as in the store's keys; `check` is the low end of a CRC-32 of what stands before it. The epoch is in all of them: a restored backup issues the same seqs again, for other messages.
import { crc32 } from 'node:zlib';
import type { Position } from '@holdfast/store';

/** A message: which store, which topic, and where it stood first. */
export interface MessageRef {
  readonly epoch: number;
  readonly topic: number;
  readonly position: Position;
}

/** One lease of one message in one group. */
export interface ReceiptRef extends MessageRef {
  readonly group: number;
  readonly token: number;
}

const idFormat = 1;
const receiptFormat = 2;
const cursorFormat = 3;
const refBytes = 24;
const receiptBytes = 33;
const refCheckBytes = 3;
const receiptCheckBytes = 2;
const base64url = /^[A-Za-z0-9_-]+$/;

export const encodeId = (ref: MessageRef): string => encodeRef(idFormat, ref);
/** @returns undefined when it is no id, or was mistyped */
export const decodeId = (text: string): MessageRef | undefined => decodeRef(idFormat, text);

/** Where a page of a list ended. */
export const encodeCursor = (ref: MessageRef): string => encodeRef(cursorFormat, ref);
/** @returns undefined when it is no cursor, or was mistyped */
export const decodeCursor = (text: string): MessageRef | undefined => decodeRef(cursorFormat, text);

function encodeRef(format: number, ref: MessageRef): string {
  const bytes = Buffer.allocUnsafe(refBytes);
  bytes.writeUInt8(format, 0);
  bytes.writeUInt32BE(ref.epoch, 1);
  bytes.writeUInt32BE(ref.topic, 5);
  writePosition(bytes, 9, ref.position);
  return sealed(bytes, refCheckBytes);
}

function decodeRef(format: number, text: string): MessageRef | undefined {
  const bytes = opened(text, refBytes, refCheckBytes, format);
  if (bytes === undefined) return undefined;
  return { epoch: bytes.readUInt32BE(1), topic: bytes.readUInt32BE(5), position: readPosition(bytes, 9) };
}

export function encodeReceipt(ref: ReceiptRef): string {
  const bytes = Buffer.allocUnsafe(receiptBytes);
  bytes.writeUInt8(receiptFormat, 0);
  bytes.writeUInt32BE(ref.epoch, 1);
  bytes.writeUInt32BE(ref.topic, 5);
  bytes.writeUInt32BE(ref.group, 9);
  writePosition(bytes, 13, ref.position);
  bytes.writeUIntBE(ref.token, 25, 6);
  return sealed(bytes, receiptCheckBytes);
}

/** @returns undefined when it is no receipt, or was mistyped */
export function decodeReceipt(text: string): ReceiptRef | undefined {
  const bytes = opened(text, receiptBytes, receiptCheckBytes, receiptFormat);
  if (bytes === undefined) return undefined;
  return {
    epoch: bytes.readUInt32BE(1),
    topic: bytes.readUInt32BE(5),
    group: bytes.readUInt32BE(9),
    position: readPosition(bytes, 13),
    token: bytes.readUIntBE(25, 6),
  };
}

function sealed(bytes: Buffer, checkBytes: number): string {
  bytes.writeUIntBE(checkOf(bytes, checkBytes), bytes.length - checkBytes, checkBytes);
  return bytes.toString('base64url');
}

function opened(text: string, size: number, checkBytes: number, format: number): Buffer | undefined {
  // Buffer.from skips what is not base64url, so the characters are checked first: one handle has one spelling.
  if (text.length !== (size / 3) * 4 || !base64url.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  const isWhole = bytes.readUIntBE(size - checkBytes, checkBytes) === checkOf(bytes, checkBytes);
  return isWhole && bytes[0] === format ? bytes : undefined;
}

const checkOf = (bytes: Buffer, checkBytes: number): number =>
  crc32(bytes.subarray(0, bytes.length - checkBytes)) % 2 ** (8 * checkBytes);

function writePosition(bytes: Buffer, offset: number, position: Position): void {
  bytes.writeUIntBE(position.fireAtMs, offset, 6);
  bytes.writeUIntBE(position.seq, offset + 6, 6);
}

function readPosition(bytes: Buffer, offset: number): Position {
  return { fireAtMs: bytes.readUIntBE(offset, 6), seq: bytes.readUIntBE(offset + 6, 6) };
}
