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
    field(hash, instantText(at));
    field(hash, headers);
    field(hash, body);
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
function field(hash: Hash, value: string | Uint8Array): void {
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(typeof value === 'string' ? Buffer.byteLength(value) : value.length);
  hash.update(length).update(value);
}

function instantText(at: DeliverAt): string {
  switch (at.kind) {
    case 'time':
      return `time ${at.timeMs}`;
    case 'delay':
      return `delay ${at.delayMs}`;
    default:
      return at satisfies never;
  }
}
