// The stamp is the header of an entry: the cluster time that its leader read when it closed the entry.

/** Largest time that a row or a stamp can hold: 2^48 - 1 ms, in the year 10889. */
export const maxTimeMs: number = 2 ** 48 - 1;

/**
 * @param ms since the epoch
 * @returns 8 bytes, big-endian
 * @throws RangeError for what is no whole number of ms from 0 to maxTimeMs
 */
export function encodeStamp(ms: number): Uint8Array {
  if (!Number.isSafeInteger(ms) || ms < 0 || ms > maxTimeMs) throw new RangeError(`${ms} is no stamp`);
  const bytes = Buffer.alloc(8);
  bytes.writeUIntBE(ms, 2, 6);
  return bytes;
}

/**
 * @returns ms since the epoch; undefined for an entry without a stamp (the core's own), which does not move the clock
 * @throws RangeError for any other header: only a leader of another format can have written it
 */
export function decodeStamp(header: Uint8Array): number | undefined {
  if (header.length === 0) return undefined;
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
  if (bytes.length !== 8 || bytes.readUInt16BE(0) !== 0) throw new RangeError(`${bytes.toString('hex')} is no stamp`);
  return bytes.readUIntBE(2, 6);
}
