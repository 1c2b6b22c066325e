import { bounds, HoldfastError, type RequestOf, type Verb } from '@holdfast/api';
import { expect, test } from 'vitest';
import { parseConfig } from '../config-sources.ts';
import { addressTextOf } from '../peers/member-address.ts';
import { parseRequest } from './parse.ts';

function refusalOf<V extends Verb>(verb: V, request: RequestOf<V>): HoldfastError {
  try {
    parseRequest(verb, request);
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
const inReminders = { params: { topic: 'reminders' }, query: {}, idempotencyKey: undefined };
const ofMailer = { params: { topic: 'reminders', group: 'mailer' }, query: {}, idempotencyKey: undefined };
const pathsOf = (error: HoldfastError) => error.facts.fields?.map(({ path }) => path);

test('one message and a batch of one are the same request inside', () => {
  const message = { body: { to: 'ada' }, delay: '15m' };
  const one = parseRequest('schedule', { ...inReminders, body: message });
  const batch = parseRequest('schedule', { ...inReminders, body: { messages: [message] } });
  expect(one).toEqual(batch);
  expect(one.body.messages[0]?.at).toEqual({ kind: 'delay', delayMs: 900_000 });
});

test.each([
  ['an unknown field', { body: 1, delay: 0, priority: 9 }, ['priority']],
  [
    'an unknown field in a batch',
    {
      messages: [
        { body: 1, delay: 0 },
        { body: 1, delay: 0, priority: 9 },
      ],
    },
    ['messages.1.priority'],
  ],
  ['no body', { delay: 0 }, ['body']],
  ['two times', { body: 1, delay: 0, at: 0 }, ['at']],
  ['a fraction of a ms', { body: 1, delay: 0.5 }, ['delay']],
  ['not a number', { body: 1, at: Number.NaN }, ['at']],
  ['past 2^53', { body: 1, at: 2 ** 53 }, ['at']],
  ['a negative delay in a batch', { messages: [{ body: 1, delay: -1 }] }, ['messages.0.delay']],
  ['an empty batch', { messages: [] }, ['messages']],
  [
    'a header with an upper-case name',
    { body: 1, delay: 0, headers: { 'Content-Type': 'x' } },
    ['headers.Content-Type'],
  ],
  ['two wrong fields', { body: 1, delay: 'soon', headers: 7 }, ['delay', 'headers']],
])('%s is refused by its name', (_what, body, paths) => {
  // @ts-expect-error the checker refuses most of them as well
  const error = refusalOf('schedule', { ...inReminders, body });
  expect(error.code).toBe('HF_INVALID_REQUEST');
  expect(pathsOf(error)).toEqual(paths);
});

test.each([
  ['n4:70000', 'n4:7401', ['peer']],
  ['n4:7501', 'n4:70000', ['api']],
  ['[::1]:65536', '1.2.3.999:7401', ['peer', 'api']],
  ['n4', 'n4', ['peer', 'api']],
])('a member at %s and %s, which can not be, is not taken in', (peer, api, paths) => {
  const body = { id: 'n4', incarnation: 'x', peer, api: `http://${api}` };
  expect(pathsOf(refusalOf('addMember', { params: {}, query: {}, idempotencyKey: undefined, body }))).toEqual(paths);
});

test('a member with a name as long as Kubernetes makes them is taken in, as it is started', () => {
  const host =
    'orders-platform-holdfast-3.orders-platform-holdfast-headless.orders-platform-production.svc.cluster.local';
  const member = { id: 'n4', peer: `${host}:7501`, api: `http://${host}:7401` };
  expect(parseConfig({ id: 'n4', join: true, peers: [member] }).peers).toEqual([member]);
  const body = { ...member, incarnation: 'x' };
  expect(parseRequest('addMember', { params: {}, query: {}, idempotencyKey: undefined, body }).body).toEqual(body);
  expect(addressTextOf(member).length).toBeLessThanOrEqual(256);
});

test.each([[null], [7], ['text'], [undefined]])('%j is no body of a request', (body) => {
  // @ts-expect-error the checker refuses them as well
  expect(refusalOf('receive', { ...ofMailer, body })).toMatchObject({
    code: 'HF_INVALID_REQUEST',
    facts: { fields: [{ path: 'body' }] },
  });
});

test('a topic with a slash, a cursor that is too long and a key with a space are all named at once', () => {
  const error = refusalOf('list', {
    params: { topic: 'a/b' },
    query: { cursor: 'x'.repeat(201) },
    body: undefined,
    idempotencyKey: 'a b',
  });
  expect(pathsOf(error)).toEqual(['topic', 'cursor', 'idempotency-key']);
});

test('a body that is too large has a code of its own, which names the limit', () => {
  const bodyBytes = new Uint8Array(bounds.bodyBytes + 1);
  for (const body of [{ bodyBytes, delay: 0 }, { messages: [{ bodyBytes, delay: 0 }] }]) {
    const error = refusalOf('schedule', { ...inReminders, body });
    expect(error.code).toBe('HF_BODY_TOO_LARGE');
    expect(error.facts.detail).toContain(String(bounds.bodyBytes));
  }
  const largest = { bodyBytes: new Uint8Array(bounds.bodyBytes), delay: 0 };
  expect(parseRequest('schedule', { ...inReminders, body: largest }).body.messages).toHaveLength(1);
});

test('a start that is none of the three is refused with all of them', () => {
  // @ts-expect-error the checker refuses it as well
  const error = refusalOf('putGroup', { ...ofMailer, body: { start: {} } });
  const text = refusalOf('putGroup', { ...ofMailer, body: { start: 'soon' } });
  for (const { facts } of [error, text]) {
    expect(facts.fields).toEqual([
      { path: 'start', message: expect.stringMatching(/"earliest".*"now".*1970.*time zone/) },
    ]);
  }
});

test('a whole number out of bounds is refused with both of them', () => {
  const max = refusalOf('receive', { ...ofMailer, body: { max: 9_999 } });
  const attempts = refusalOf('putGroup', { ...ofMailer, body: { maxAttempts: 0.5 } });
  const limit = refusalOf('list', { ...inReminders, query: { limit: 'many' }, body: undefined });
  expect([max, attempts, limit].map(({ facts }) => facts.fields)).toEqual([
    [{ path: 'max', message: `must be a whole number from 1 to ${bounds.messagesPerReceive}` }],
    [{ path: 'maxAttempts', message: `must be a whole number from 1 to ${bounds.attempts}` }],
    [{ path: 'limit', message: `must be a whole number from 1 to ${bounds.messagesPerPage}` }],
  ]);
});

test('a thousand wrong messages are not a thousand lines', () => {
  const messages = Array.from({ length: bounds.messagesPerBatch }, () => ({ body: 1, delay: -1 }));
  expect(refusalOf('schedule', { ...inReminders, body: { messages } }).facts.fields).toHaveLength(20);
});

test('what may be left out has its default', () => {
  expect(parseRequest('receive', { ...ofMailer, body: {} }).body).toEqual({
    max: 1,
    lease: 30_000,
    wait: 0,
    repeated: false,
  });
});
