import { assert, nat, property } from 'fast-check';
import { expect, test } from 'vitest';
import { bounds, messageToSchedule, parseDurationMs, routes } from './index.ts';

const faultOf = (input: unknown): string => {
  const { success, error } = messageToSchedule.safeParse(input);
  return success ? 'accepted' : error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
};
const body = { hello: 'ada' };

test.each([
  ['NaN', { at: Number.NaN, body }, 'at'],
  ['a fraction', { at: 1.5, body }, 'at'],
  ['beyond 2^53', { at: 2 ** 53, body }, 'at'],
  ['infinity', { at: Number.POSITIVE_INFINITY, body }, 'at'],
  ['before 1970', { at: -1, body }, 'at'],
  ['after the year 9999', { at: bounds.deliverAtMs + 1, body }, 'at'],
  ['text that is no time', { at: 'nine', body }, 'at'],
  ['a time without a zone', { at: '2030-01-01T09:00:00', body }, 'at'],
  ['a day that is not', { at: '2030-02-30T09:00:00Z', body }, 'at'],
  ['a negative delay', { delay: -1, body }, 'delay'],
  ['a delay of a fraction', { delay: 0.5, body }, 'delay'],
  ['a delay in unknown units', { delay: '5 years', body }, 'delay'],
  ['a delay of more than a hundred years', { delay: bounds.delayMs + 1, body }, 'delay'],
  ['neither at nor delay', { body }, 'at'],
  ['at and delay', { at: 1, delay: 1, body }, 'at'],
  ['no body', { delay: 1 }, 'body'],
  ['two bodies', { delay: 1, body, bodyBase64: 'AA==' }, 'body'],
  ['base64 that is none', { delay: 1, bodyBase64: '*' }, 'bodyBase64'],
  ['a body one byte too large', { delay: 1, bodyBytes: new Uint8Array(bounds.bodyBytes + 1) }, 'body'],
  ['a header with a control character', { delay: 1, body, headers: { a: 'x\u0000' } }, 'headers.a'],
  ['a header name in upper case', { delay: 1, body, headers: { A: 'x' } }, 'headers.A'],
])('%s is refused, and the field is named', (_, input, field) => {
  expect(faultOf(input)).toContain(`${field}: `);
});

test('an unknown field is refused by its name', () => {
  expect(faultOf({ delay: 1, body, dealy: 1 })).toContain('dealy');
});

test('a message is times in ms and bytes: JSON keeps its content type, raw bytes have none', () => {
  expect(messageToSchedule.parse({ at: '2030-01-01T09:00:00+01:00', body })).toEqual({
    at: { kind: 'time', timeMs: Date.UTC(2030, 0, 1, 8) },
    headers: { 'content-type': 'application/json' },
    body: new TextEncoder().encode('{"hello":"ada"}'),
  });
  const raw = messageToSchedule.parse({ delay: '1h30m', bodyBase64: 'AAH/', headers: { trace: 'x' } });
  expect(raw).toMatchObject({ at: { kind: 'delay', delayMs: 5_400_000 }, headers: { trace: 'x' } });
  expect([...raw.body]).toEqual([0, 1, 255]);
});

test('null, false and 0 are bodies', () => {
  for (const value of [null, false, 0, '']) expect(faultOf({ delay: 0, body: value })).toBe('accepted');
});

test('durations add up their units, and anything else is no duration', () => {
  expect(['1w', '1d2h', '3m4s', '250ms', '0s'].map(parseDurationMs)).toEqual([
    604_800_000, 93_600_000, 184_000, 250, 0,
  ]);
  for (const text of ['', '5', 'm', '1.5h', '-1s', '1h ', '1y', '1H', '9999999999999w'])
    expect(parseDurationMs(text), text).toBeUndefined();
  assert(
    property(
      nat(10_000),
      nat(10_000),
      (minutes, ms) => parseDurationMs(`${minutes}m${ms}ms`) === minutes * 60_000 + ms,
    ),
  );
});

test('a batch is one to a thousand messages, and one message is a batch of one', () => {
  const one = { delay: 1, body };
  const count = (input: unknown) => {
    const parsed = routes.schedule.body.safeParse(input);
    return parsed.success ? parsed.data.messages.length : undefined;
  };
  expect(count(one)).toBe(1);
  expect(count({ messages: [one, one] })).toBe(2);
  expect(count({ messages: [] })).toBeUndefined();
  expect(count({ messages: Array.from({ length: bounds.messagesPerBatch + 1 }, () => one) })).toBeUndefined();
  expect(count({ messages: [one, { body }] })).toBeUndefined();
});

test.each(['', '-a', '.a', 'a b', 'a/b', 'ä', 'a'.repeat(bounds.nameCharacters + 1)])(
  'the name %j is refused',
  (topic) => {
    expect(routes.schedule.params.safeParse({ topic }).success).toBe(false);
  },
);
