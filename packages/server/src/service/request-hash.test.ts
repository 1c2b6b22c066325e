import { expect, test } from 'vitest';
import { encodeHeaders } from './headers.ts';
import { hashOfCancel, hashOfSchedule } from './request-hash.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const message = { at: { kind: 'delay', delayMs: 900_000 }, headers: bytes(''), body: bytes('rent') } as const;

test('the same request hashes alike, also when its headers are named in another order', () => {
  const first = { ...message, headers: encodeHeaders({ a: '1', b: '2' }) };
  const second = { ...message, headers: encodeHeaders({ b: '2', a: '1' }) };
  expect(hashOfSchedule('reminders', [first])).toEqual(hashOfSchedule('reminders', [second]));
  expect(hashOfSchedule('reminders', [first])).toHaveLength(16);
});

test.each([
  ['another topic', hashOfSchedule('others', [message])],
  ['another delay', hashOfSchedule('reminders', [{ ...message, at: { kind: 'delay', delayMs: 900_001 } }])],
  ['a time of the same number', hashOfSchedule('reminders', [{ ...message, at: { kind: 'time', timeMs: 900_000 } }])],
  ['another body', hashOfSchedule('reminders', [{ ...message, body: bytes('tent') }])],
  [
    'a header that is a piece of the body',
    hashOfSchedule('reminders', [{ ...message, headers: bytes('r'), body: bytes('ent') }]),
  ],
  ['the message twice', hashOfSchedule('reminders', [message, message])],
  ['another verb', hashOfCancel('reminders', 'rent')],
])('%s hashes otherwise', (_what, hash) => {
  expect(hash).not.toEqual(hashOfSchedule('reminders', [message]));
});

test('a cancel of another message hashes otherwise', () => {
  expect(hashOfCancel('reminders', 'a')).not.toEqual(hashOfCancel('reminders', 'b'));
});
