// What "the same request" means for an idempotency key: a hash over the request after its schemas, so that defaults,
// spellings of a duration and the way a body was written do not count. A delay is hashed as the delay: a repeat comes
// later than the first, and must still be the same request.
import { createHash, type Hash } from 'node:crypto';
import type { DeliverAt, NewMessage } from '@holdfast/store';

const hashBytes = 16;

/** @returns SHA-256, its first 16 bytes */
export function hashOfSchedule(topic: string, messages: readonly NewMessage[]): Uint8Array {
  const hash = createHash('sha256');
  field(hash, 'schedule');
  field(hash, topic);
  for (const { at, headers, body } of messages) {
    const head = Buffer.allocUnsafe(17);
    head.writeUInt8(at.kind === 'time' ? 1 : 2, 0);
    head.writeDoubleBE(msOf(at), 1);
    head.writeUInt32BE(headers.length, 9);
    head.writeUInt32BE(body.length, 13);
    hash.update(head).update(headers).update(body);
  }
  return hash.digest().subarray(0, hashBytes);
}

/** @returns SHA-256, its first 16 bytes */
export function hashOfCancel(topic: string, id: string): Uint8Array {
  const hash = createHash('sha256');
  field(hash, 'cancel');
  field(hash, topic);
  field(hash, id);
  return hash.digest().subarray(0, hashBytes);
}

/** With its length in front, so that no two lists of fields hash alike by running into each other. */
function field(hash: Hash, text: string): void {
  hash.update(`${Buffer.byteLength(text)} ${text}`);
}

function msOf(at: DeliverAt): number {
  switch (at.kind) {
    case 'time':
      return at.timeMs;
    case 'delay':
      return at.delayMs;
    default:
      return at satisfies never;
  }
}
