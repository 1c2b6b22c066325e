// The opaque handles that users hold: message ids, receipts and list cursors. Each names rows by number, so that it is
// found without an index, and each ends in a checksum, so that a typing error is refused and never names another row.
//
//   id, cursor   format 1 | epoch 4 | topic 4 | fireAtMs 6 | seq 7 | check 2                        24 bytes, 32 characters
//   receipt      format 1 | epoch 4 | topic 4 | group 4 | fireAtMs 6 | seq 7 | token 7 | check 3    36 bytes, 48 characters
//
// The epoch is in all of them: a restored backup issues the same seqs again, for other messages.
import assert from 'node:assert';
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
const receiptBytes = 36;
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
  bytes.writeUInt16BE(crc32(bytes.subarray(0, 22)) & 0xffff, 22);
  return bytes.toString('base64url');
}

function decodeRef(format: number, text: string): MessageRef | undefined {
  const bytes = bytesOf(text, refBytes, format);
  if (bytes === undefined || bytes.readUInt16BE(22) !== (crc32(bytes.subarray(0, 22)) & 0xffff)) return undefined;
  const position = readPosition(bytes, 9);
  return position && { epoch: bytes.readUInt32BE(1), topic: bytes.readUInt32BE(5), position };
}

export function encodeReceipt(ref: ReceiptRef): string {
  const bytes = Buffer.allocUnsafe(receiptBytes);
  bytes.writeUInt8(receiptFormat, 0);
  bytes.writeUInt32BE(ref.epoch, 1);
  bytes.writeUInt32BE(ref.topic, 5);
  bytes.writeUInt32BE(ref.group, 9);
  writePosition(bytes, 13, ref.position);
  writeUint56(bytes, 26, ref.token);
  bytes.writeUIntBE(crc32(bytes.subarray(0, 33)) & 0xffffff, 33, 3);
  return bytes.toString('base64url');
}

/** @returns undefined when it is no receipt, or was mistyped */
export function decodeReceipt(text: string): ReceiptRef | undefined {
  const bytes = bytesOf(text, receiptBytes, receiptFormat);
  if (bytes === undefined || bytes.readUIntBE(33, 3) !== (crc32(bytes.subarray(0, 33)) & 0xffffff)) return undefined;
  const position = readPosition(bytes, 13);
  const token = readUint56(bytes, 26);
  if (position === undefined || token === undefined) return undefined;
  return { epoch: bytes.readUInt32BE(1), topic: bytes.readUInt32BE(5), group: bytes.readUInt32BE(9), position, token };
}

function bytesOf(text: string, size: number, format: number): Buffer | undefined {
  // Buffer.from skips what is not base64url, so the characters are checked first: one handle has one spelling.
  if (text.length !== (size / 3) * 4 || !base64url.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes[0] === format ? bytes : undefined;
}

function writePosition(bytes: Buffer, offset: number, position: Position): void {
  bytes.writeUIntBE(position.fireAtMs, offset, 6);
  writeUint56(bytes, offset + 6, position.seq);
}

function readPosition(bytes: Buffer, offset: number): Position | undefined {
  const seq = readUint56(bytes, offset + 6);
  return seq === undefined ? undefined : { fireAtMs: bytes.readUIntBE(offset, 6), seq };
}

function writeUint56(bytes: Buffer, offset: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, `${value} is no safe integer`);
  bytes.writeUInt8(Math.floor(value / 2 ** 48), offset);
  bytes.writeUIntBE(value % 2 ** 48, offset + 1, 6);
}

function readUint56(bytes: Buffer, offset: number): number | undefined {
  const value = bytes.readUInt8(offset) * 2 ** 48 + bytes.readUIntBE(offset + 1, 6);
  return Number.isSafeInteger(value) ? value : undefined;
}
