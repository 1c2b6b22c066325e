import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { Pool } from 'undici';
import { expect, test } from 'vitest';
import { exchange, type HttpRequest } from './http-exchange.ts';

const get: HttpRequest = { method: 'GET', path: '/', headers: [], body: null };
const open = new AbortController().signal;

async function served(answer: (response: ServerResponse) => void, connections = 1) {
  const server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const close = async () => {
    await pool.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { pool, close };
}

test('an answer that is longer than allowed is cut off', async () => {
  const { pool, close } = await served((response) => response.end('x'.repeat(1_001)));
  await expect(exchange(pool, 'n1', get, 1_000, open)).rejects.toMatchObject({
    name: 'NodeUnreachable',
    cause: { message: 'The answer is longer than 1000 bytes.' },
  });
  expect((await exchange(pool, 'n1', get, 1_001, open)).body).toHaveLength(1_001);
  await close();
});

test('a request whose caller left while it waited for a socket is not sent', async () => {
  const waiting: ServerResponse[] = [];
  let requests = 0;
  const { pool, close } = await served((response) => {
    requests += 1;
    waiting.push(response);
  });
  const first = exchange(pool, 'n1', get, 1_000, open);
  const controller = new AbortController();
  const second = exchange(pool, 'n1', get, 1_000, controller.signal);
  controller.abort();
  await expect(second).rejects.toMatchObject({ sent: false });
  while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  for (const response of waiting) response.end('done');
  await first;
  const third = exchange(pool, 'n1', get, 1_000, open);
  while (waiting.length < 2) await new Promise((resolve) => setImmediate(resolve));
  waiting[1]?.end('done');
  await third;
  expect(requests).toBe(2);
  await close();
});
