// What an entry of commands holds: the owner's opaque header (the stamp), then the commands of one group commit.
//
//   offset  bytes  field
//   0       2      bytes of the owner's header
//   2       2      number of commands
//   4              the header, then for each command 4 bytes of length and the command
import { strict as assert } from 'node:assert';
import { CorruptEntry } from './entry.ts';

/** What the length of a command adds to it. */
const commandHeadBytes = 4;
const payloadHeadBytes = 4;
const maxUint16 = 0xffff;

/** What an entry of the kind `commands` holds: the owner's header, at most 65,535 bytes, and as many commands at most, in order. */
export interface Payload {
  readonly header: Uint8Array;
  readonly commands: readonly Uint8Array[];
}

/** @throws AssertionError for a header of more than 65,535 bytes, or more commands than that */
export function encodePayload({ header, commands }: Payload): Uint8Array {
  assert(header.length <= maxUint16 && commands.length <= maxUint16);
  let size = payloadHeadBytes + header.length;
  for (const command of commands) size += commandHeadBytes + command.length;
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeUInt16BE(header.length, 0);
  bytes.writeUInt16BE(commands.length, 2);
  bytes.set(header, payloadHeadBytes);
  let at = payloadHeadBytes + header.length;
  for (const command of commands) {
    bytes.writeUInt32BE(command.length, at);
    bytes.set(command, at + commandHeadBytes);
    at += commandHeadBytes + command.length;
  }
  return bytes;
}

/**
 * Reads a payload without copying it.
 * @throws CorruptEntry when the lengths do not add up
 */
export function decodePayload(raw: Uint8Array): Payload {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (bytes.length < payloadHeadBytes) throw new CorruptEntry('its payload is short');
  const count = bytes.readUInt16BE(2);
  let at = payloadHeadBytes + bytes.readUInt16BE(0);
  if (at > bytes.length) throw new CorruptEntry('its header is longer than its payload');
  const header = bytes.subarray(payloadHeadBytes, at);
  const commands: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    if (at + commandHeadBytes > bytes.length) throw new CorruptEntry(`command ${i} is missing`);
    const end = at + commandHeadBytes + bytes.readUInt32BE(at);
    if (end > bytes.length) throw new CorruptEntry(`command ${i} is cut`);
    commands.push(bytes.subarray(at + commandHeadBytes, end));
    at = end;
  }
  if (at !== bytes.length) throw new CorruptEntry('bytes follow its last command');
  return { header, commands };
}
