import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { HoldfastError, OutcomeUnknownError, type RequestOf, toProblem } from '@holdfast/api';
import { pack, unpack } from 'msgpackr';
import { afterEach, expect, test } from 'vitest';
import { NodeUnreachable } from './carrier.ts';
import { createHttpCaller } from './http-caller.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

type Seen = { method: string; url: string; headers: IncomingMessage['headers']; body: Buffer };

async function node(answer: (response: ServerResponse, seen: Seen) => void) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const { method = '', url = '', headers } = request;
    const one = { method, url, headers, body: Buffer.concat(chunks) };
    seen.push(one);
    answer(response, one);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const caller = createHttpCaller();
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  closing.push(() => caller.close());
  return { seen, caller, address: addressOf(server.address()) };
}

function addressOf(address: string | AddressInfo | null): string {
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`;
}

const answerMsgpack = (response: ServerResponse, value: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/msgpack' }).end(pack(value));
};
const open = new AbortController().signal;
const schedule: RequestOf<'schedule'> = {
  params: { topic: 'a b/c' },
  query: {},
  body: { messages: [{ at: 1_900_000_000_123, bodyBytes: new Uint8Array([1, 2, 255]) }] },
  idempotencyKey: 'key-1',
};
const list: RequestOf<'list'> = {
  params: { topic: 't' },
  query: { dueAfter: 5, limit: 10 },
  body: undefined,
  idempotencyKey: undefined,
};

test.each(['', 'два', 'a b', 'a\nb', 'x'.repeat(1_000)])(
  'a key that no header can hold, or no node takes, is refused before it is sent: %j',
  async (idempotencyKey) => {
    const { caller, address, seen } = await node((response) => answerMsgpack(response, {}));
    await expect(caller.call(address, 'schedule', { ...schedule, idempotencyKey }, open)).rejects.toMatchObject({
      code: 'HF_INVALID_REQUEST',
      facts: { fields: expect.arrayContaining([expect.objectContaining({ path: 'idempotency-key' })]) },
    });
    expect(seen).toEqual([]);
  },
);

test('a request is msgpack with the key in its header, and bytes stay bytes', async () => {
  const scheduled = { messages: [{ id: 'm0000001', deliverAtMs: 1_900_000_000_123 }], repeated: false };
  const { seen, caller, address } = await node((response) => answerMsgpack(response, scheduled));
  expect(await caller.call(address, 'schedule', schedule, open)).toEqual(scheduled);
  const [request] = seen;
  expect(request).toMatchObject({ method: 'POST', url: '/v1/topics/a%20b%2Fc/messages' });
  expect(request?.headers).toMatchObject({ 'idempotency-key': 'key-1', 'content-type': 'application/msgpack' });
  expect(unpack(request?.body ?? Buffer.alloc(0))).toEqual({
    messages: [{ at: 1_900_000_000_123, bodyBytes: Buffer.from([1, 2, 255]) }],
  });
});

test('a read has its query in the path, and no body', async () => {
  const { seen, caller, address } = await node((response) => answerMsgpack(response, { messages: [] }));
  expect(await caller.call(address, 'list', list, open)).toEqual({ messages: [] });
  expect(seen[0]).toMatchObject({ method: 'GET', url: '/v1/topics/t/messages?dueAfter=5&limit=10' });
  expect(seen[0]?.headers['content-type']).toBeUndefined();
  expect(seen[0]?.body).toHaveLength(0);
});

test.each(['application/problem+json', 'application/msgpack'])(
  'a problem in %s is the error that it says',
  async (type) => {
    const problem = toProblem(new HoldfastError('HF_NO_LEADER', { leaderApi: 'http://n2', retryAfterMs: 50 }));
    const { caller, address } = await node((response) => {
      response.writeHead(problem.status, { 'content-type': `${type}; charset=utf-8` });
      response.end(type.endsWith('json') ? JSON.stringify(problem) : pack(problem));
    });
    await expect(caller.call(address, 'list', list, open)).rejects.toMatchObject({
      code: 'HF_NO_LEADER',
      facts: { leaderApi: 'http://n2', retryAfterMs: 50 },
    });
  },
);

test('an outcome that is not known has its own type', async () => {
  const { caller, address } = await node((response) => {
    response.writeHead(504, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify(toProblem(new OutcomeUnknownError())));
  });
  await expect(caller.call(address, 'schedule', schedule, open)).rejects.toBeInstanceOf(OutcomeUnknownError);
});

test.each([
  [200, 'text/html', '<p>hello'],
  [502, 'text/html', 'bad gateway'],
  [200, 'application/msgpack', ''],
  [404, 'application/json', '{"error":"no"}'],
  [200, 'application/json', '{}'],
  [200, 'application/json', 'null'],
  [200, 'application/json', '{"status":"ok"}'],
])('HTTP %s with %s from something that is no node is not taken for an answer', async (status, type, body) => {
  const { caller, address } = await node((response) => response.writeHead(status, { 'content-type': type }).end(body));
  const failure = caller.call(address, 'schedule', schedule, open);
  await expect(failure).rejects.toMatchObject({ name: 'NodeUnreachable', sent: true });
});

test('a refused connection was not sent; a reset after the request was', async () => {
  const unused = createTcpServer().listen(0, '127.0.0.1');
  await once(unused, 'listening');
  const nobody = addressOf(unused.address());
  unused.close();
  await once(unused, 'close');
  const caller = createHttpCaller();
  closing.push(() => caller.close());
  await expect(caller.call(nobody, 'schedule', schedule, open)).rejects.toMatchObject({ sent: false });

  const { caller: other, address } = await node((response) => response.socket?.resetAndDestroy());
  await expect(other.call(address, 'schedule', schedule, open)).rejects.toMatchObject({ sent: true });
});

test('a signal ends the exchange at once, and the node sees its caller leave', async () => {
  let left: Promise<unknown> = Promise.resolve();
  const controller = new AbortController();
  const { caller, address } = await node((response) => {
    left = once(response, 'close');
    controller.abort(new Error('enough'));
  });
  await expect(caller.call(address, 'schedule', schedule, controller.signal)).rejects.toBeInstanceOf(NodeUnreachable);
  await left;
});

test('after close nothing is sent', async () => {
  const { caller, address, seen } = await node((response) => answerMsgpack(response, {}));
  const waiting = caller.call(address, 'schedule', schedule, open);
  await caller.close();
  await expect(waiting).rejects.toBeInstanceOf(NodeUnreachable);
  expect(seen.length).toBeLessThan(2);
});
