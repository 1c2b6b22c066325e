// The bytes of a message's headers, as the leader encodes them and every replica keeps them.
//
//   for each header, sorted by name:   nameBytes 1 | name | valueBytes 2 | value      (UTF-8, big-endian)
//
// Sorted, so that one record has one encoding: the hash of a request is taken over it.
import assert from 'node:assert';

export type Headers = Readonly<Record<string, string>>;

const none = new Uint8Array(0);

/** @param headers checked at the edge: names of at most 64 ASCII characters, values of at most 4,096 characters */
export function encodeHeaders(headers: Headers): Uint8Array {
  const names = Object.keys(headers);
  if (names.length === 0) return none;
  names.sort();
  const parts: { readonly name: string; readonly value: string; readonly valueBytes: number }[] = [];
  let totalBytes = 0;
  for (const name of names) {
    const value = headers[name] ?? '';
    const valueBytes = Buffer.byteLength(value);
    assert(name.length < 0x100 && valueBytes < 0x1_0000, `header ${name} does not fit its layout`);
    parts.push({ name, value, valueBytes });
    totalBytes += 3 + name.length + valueBytes;
  }
  const bytes = Buffer.allocUnsafe(totalBytes);
  let at = 0;
  for (const { name, value, valueBytes } of parts) {
    at = bytes.writeUInt8(name.length, at);
    at += bytes.write(name, at, 'latin1');
    at = bytes.writeUInt16BE(valueBytes, at);
    at += bytes.write(value, at, 'utf8');
  }
  assert(at === totalBytes);
  return bytes;
}

/** @throws Error when the bytes are not an encoding of headers; rows carry checksums, so that is a fault of this code */
export function decodeHeaders(encoded: Uint8Array): Record<string, string> {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const headers: Record<string, string> = {};
  let at = 0;
  while (at < bytes.length) {
    const nameEnd = at + 1 + bytes.readUInt8(at);
    const valueEnd = nameEnd + 2 + bytes.readUInt16BE(nameEnd);
    assert(valueEnd <= bytes.length, 'the headers of a message are cut off');
    headers[bytes.toString('latin1', at + 1, nameEnd)] = bytes.toString('utf8', nameEnd + 2, valueEnd);
    at = valueEnd;
  }
  return headers;
}
