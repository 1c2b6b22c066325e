// Requests as users send them over real HTTP, and the answers that they get.
import { connect, type Socket } from 'node:net';
import { type ParsedRequestOf, routes } from '@holdfast/api';
import { pack, unpack } from 'msgpackr';
import { expect, test } from 'vitest';
import { startApp } from '../../test/app.ts';

const stored = { messages: [{ id: 'abcdefgh', deliverAtMs: 5 }], repeated: false };
const json = { 'content-type': 'application/json' };
const text = (value: string) => new TextEncoder().encode(value);

/** An app that keeps what its service was given to schedule. */
async function scheduling() {
  const given: ParsedRequestOf<'schedule'>[] = [];
  const running = await startApp({
    schedule: (request) => {
      given.push(request);
      return stored;
    },
  });
  const post = (body: string | Uint8Array, headers: Record<string, string>) =>
    fetch(`${running.url}/v1/topics/reminders/messages`, { method: 'POST', body, headers });
  return { ...running, given, post };
}

test('one message, a batch, and the idempotency key reach the service parsed once', async () => {
  await using app = await scheduling();
  const one = await app.post('{"delay":"5s","body":{"to":"ada"}}', { ...json, 'idempotency-key': 'k1' });
  expect([one.status, one.headers.get('content-type'), await one.json()]).toEqual([
    200,
    'application/json; charset=utf-8',
    stored,
  ]);
  await app.post('{"messages":[{"at":7,"bodyBase64":"AAE="},{"delay":1,"body":null}]}', json);
  expect(app.given.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['k1', undefined]);
  expect(app.given[0]).toMatchObject({
    params: { topic: 'reminders' },
    body: { messages: [{ at: { kind: 'delay', delayMs: 5_000 }, headers: json, body: text('{"to":"ada"}') }] },
  });
  expect(app.given[1]?.body.messages.map(({ body }) => [...body])).toEqual([[0, 1], [...text('null')]]);
  expect(app.answered).toEqual(['schedule 200', 'schedule 200']);
});

test('msgpack goes in and out, with bodies as raw bytes', async () => {
  await using app = await scheduling();
  const answer = await app.post(pack({ delay: 1, bodyBytes: Buffer.from([0, 255]) }), {
    'content-type': 'application/msgpack',
    accept: 'application/msgpack',
  });
  expect(answer.headers.get('content-type')).toBe('application/msgpack');
  expect(unpack(Buffer.from(await answer.arrayBuffer()))).toEqual(stored);
  expect([...(app.given[0]?.body.messages[0]?.body ?? [])]).toEqual([0, 255]);
});

test('an integer past 2^53 within a msgpack body is rounded as JSON rounds it, and not refused', async () => {
  await using app = await scheduling();
  const answer = await app.post(pack({ delay: 1, body: { n: 2n ** 60n } }), { 'content-type': 'application/msgpack' });
  expect(answer.status).toBe(200);
  expect(app.given[0]?.body.messages[0]?.body).toEqual(text(`{"n":${2 ** 60}}`));
});

test('a raw body is one message, with its time and its headers in header lines', async () => {
  await using app = await scheduling();
  const png = {
    'content-type': 'image/png',
    'holdfast-delay': '15m',
    'holdfast-header-trace': 'a1',
    'holdfast-header-name': Buffer.from('Zoë').toString('latin1'),
  };
  expect((await app.post(Buffer.from([1, 2, 3]), png)).status).toBe(200);
  expect((await app.post('{"x":1}', { ...json, 'holdfast-deliver-at': '2030-01-01T09:00:00Z' })).status).toBe(200);
  expect((await app.post('', { 'content-type': 'application/octet-stream', 'holdfast-delay': '5000' })).status).toBe(
    200,
  );
  const messages = app.given.flatMap(({ body }) => body.messages);
  expect(messages[0]).toEqual({
    at: { kind: 'delay', delayMs: 900_000 },
    headers: { 'content-type': 'image/png', trace: 'a1', name: 'Zoë' },
    body: Buffer.from([1, 2, 3]),
  });
  expect(messages[1]).toEqual({
    at: { kind: 'time', timeMs: Date.UTC(2030, 0, 1, 9) },
    headers: json,
    body: Buffer.from('{"x":1}'),
  });
  expect(messages[2]).toMatchObject({ at: { delayMs: 5_000 }, body: Buffer.alloc(0) });
});

test('bodies go out as JSON where they are JSON, as base64 otherwise, and as bytes in msgpack', async () => {
  const lease = { receipt: 'receipt-1', attempt: 1, token: 1, deliverAtMs: 1, leasedUntilMs: 2 };
  const messages = [
    { id: 'abcdefgh', ...lease, headers: json, bodyBytes: text('{"to":"ada"}') },
    { id: 'abcdefgi', ...lease, headers: json, bodyBytes: text('{broken') },
    { id: 'abcdefgj', ...lease, headers: {}, bodyBytes: text('1') },
    { id: 'abcdefgk', ...lease, headers: json, bodyBytes: text('null') },
    { id: 'abcdefgl', ...lease, headers: json, bodyBytes: Buffer.from('"Zoë"', 'latin1') },
  ];
  await using app = await startApp({
    receive: () => ({ messages }),
    get: () => ({ id: 'abcdefgh', state: 'waiting', groups: [], headers: {}, bodyBytes: text('hi') }),
  });
  const receive = (headers: Record<string, string>) =>
    fetch(`${app.url}/v1/topics/t/groups/g/receive`, { method: 'POST', headers });
  const shown = routes.receive.answer.parse(await (await receive({})).json());
  expect(shown.messages.map(({ body, bodyBase64, bodyBytes }) => ({ body, bodyBase64, bodyBytes }))).toEqual([
    { body: { to: 'ada' } },
    { bodyBase64: btoa('{broken') },
    { bodyBase64: btoa('1') },
    { body: null },
    { bodyBase64: btoa('"Zoë"') },
  ]);
  expect(await (await fetch(`${app.url}/v1/topics/t/messages/abcdefgh`)).json()).toMatchObject({
    bodyBase64: btoa('hi'),
  });
  const packed: { messages: { bodyBytes: Uint8Array }[] } = unpack(
    Buffer.from(await (await receive({ accept: 'text/html, application/msgpack;q=0.9' })).arrayBuffer()),
  );
  expect(packed.messages.map(({ bodyBytes }) => Buffer.from(bodyBytes).toString())).toEqual(
    messages.map(({ bodyBytes }) => Buffer.from(bodyBytes).toString()),
  );
});

test('a body that is nested too deeply to be written as JSON goes out as base64, and the others with it', async () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const lease = { receipt: 'receipt-1', attempt: 1, token: 1, deliverAtMs: 1, leasedUntilMs: 2, headers: json };
  const messages = ['1', deep].map((body, at) => ({ id: `abcdefg${at}`, ...lease, bodyBytes: text(body) }));
  await using app = await startApp({ receive: () => ({ messages }) });
  const answer = await fetch(`${app.url}/v1/topics/t/groups/g/receive`, { method: 'POST' });
  const shown = routes.receive.answer.parse(await answer.json());
  expect(shown.messages.map(({ body, bodyBase64 }) => bodyBase64 ?? body)).toEqual([1, btoa(deep)]);
});

test('queries and parameters arrive as text, decoded; a request without a body has the defaults', async () => {
  const seen: unknown[] = [];
  await using app = await startApp({
    list: (request) => {
      seen.push(request);
      return { messages: [] };
    },
    receive: (request, options) => {
      seen.push(request.body, options.forwarded);
      return { messages: [] };
    },
  });
  expect((await fetch(`${app.url}/v1/topics/a%2Eb/messages?limit=7&dueAfter=12`)).status).toBe(200);
  expect(
    (await fetch(`${app.url}/v1/topics/t/groups/g/receive`, { method: 'POST', headers: { 'holdfast-forwarded': '1' } }))
      .status,
  ).toBe(200);
  expect(seen).toMatchObject([
    { params: { topic: 'a.b' }, query: { limit: 7, dueAfter: 12 } },
    { max: 1, lease: 30_000, wait: 0 },
    true,
  ]);
});

test('a caller that walks away aborts its long poll', async () => {
  let waiting = (_signal: AbortSignal) => {};
  const called = new Promise<AbortSignal>((resolve) => (waiting = resolve));
  await using app = await startApp({
    receive: (_request, { signal }) => {
      waiting(signal);
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new Error('walked away'))),
      );
    },
  });
  const walk = new AbortController();
  const poll = fetch(`${app.url}/v1/topics/t/groups/g/receive`, {
    method: 'POST',
    body: '{"wait":"60s"}',
    headers: json,
    signal: walk.signal,
  });
  poll.catch(() => undefined);
  const signal = await called;
  expect(signal.aborted).toBe(false);
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
  walk.abort();
  await aborted;
  await expect(poll).rejects.toThrow();
});

/** Polls that are sent on one connection before the first of them is answered. */
function pipelined(port: number, polls: number): Socket {
  const poll = 'POST /v1/topics/t/groups/g/receive HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n';
  const socket = connect(port, '127.0.0.1');
  socket.write(poll.repeat(polls));
  return socket;
}

test('a caller that walks away aborts also what it sent before its first request was answered', async () => {
  const signals: AbortSignal[] = [];
  await using app = await startApp({
    receive: (_request, { signal }) => {
      signals.push(signal);
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new Error('walked away'))),
      );
    },
  });
  const socket = pipelined(app.port, 20);
  while (signals.length < 20) await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  while (!signals.every(({ aborted }) => aborted)) await new Promise((resolve) => setTimeout(resolve, 5));
});

test('pipelined requests that are answered one after the other abort nothing', async () => {
  const signals: AbortSignal[] = [];
  await using app = await startApp({
    receive: (_request, { signal }) => {
      signals.push(signal);
      return { messages: [] };
    },
  });
  const socket = pipelined(app.port, 20);
  let heard = '';
  socket.on('data', (chunk) => (heard += chunk.toString('latin1')));
  while (heard.split('HTTP/1.1 200').length <= 20) await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  await app.listener.close(1_000);
  expect(signals.map(({ aborted }) => aborted)).toEqual(Array.from({ length: 20 }, () => false));
});

test('a caller that has its answer aborts nothing', async () => {
  const signals: AbortSignal[] = [];
  await using app = await startApp({
    receive: (_request, { signal }) => {
      signals.push(signal);
      return { messages: [] };
    },
  });
  for (let time = 0; time < 3; time += 1)
    await (await fetch(`${app.url}/v1/topics/t/groups/g/receive`, { method: 'POST' })).json();
  await app.listener.close(1_000);
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false]);
});

test('health, metrics and the OpenAPI document stand beside the table', async () => {
  await using app = await startApp({}, { fatal: () => undefined });
  expect(await (await fetch(`${app.url}/livez`)).json()).toEqual({ live: true });
  const ready = await fetch(`${app.url}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([503, { ready: false, because: 'it has not started yet' }]);
  expect(await (await fetch(`${app.url}/metrics`)).text()).toContain('holdfast_term');
  expect(await (await fetch(`${app.url}/openapi.json`)).json()).toMatchObject({ openapi: '3.1.1' });
});
