// Callers that hold something and give nothing: each of them is let go after a bounded time, or was never taken.
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { startApp } from '../../test/app.ts';
import { httpLimits } from './limits.ts';

/** Opens a connection, says something, and keeps what it hears until the other side closes. */
function opened(port: number, says: string): { readonly socket: Socket; readonly heard: Promise<string> } {
  const socket = connect(port, '127.0.0.1', () => socket.write(says));
  const heard = new Promise<string>((resolve) => {
    let all = '';
    socket.on('data', (chunk) => (all += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(all));
  });
  return { socket, heard };
}

test('the limits reach the server', async () => {
  await using app = await startApp({});
  const { server } = app.fastify;
  expect(server).toMatchObject({
    maxConnections: httpLimits.connections,
    headersTimeout: httpLimits.headersMs,
    requestTimeout: httpLimits.requestMs,
    keepAliveTimeout: httpLimits.keepAliveMs,
    timeout: httpLimits.silentMs,
  });
});

test.each([
  ['header lines', 'GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: '],
  [
    'a body',
    'POST /v1/topics/t/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
  ],
])('%s that do not end are answered and closed', async (_what, says) => {
  await using app = await startApp({});
  Object.assign(app.fastify.server, { headersTimeout: 50, requestTimeout: 100 });
  const { heard } = opened(app.port, says);
  expect(await heard).toMatch(/^HTTP\/1\.1 400 [\s\S]*took too long to arrive/);
});

test('more connections than are allowed are closed, counted, and logged once', async () => {
  await using app = await startApp({});
  app.fastify.server.maxConnections = 2;
  const kept = [opened(app.port, ''), opened(app.port, '')];
  while (app.listener.connections() < 2) await new Promise((resolve) => setImmediate(resolve));
  const refused = [opened(app.port, 'GET /livez HTTP/1.1\r\n\r\n'), opened(app.port, 'GET /livez HTTP/1.1\r\n\r\n')];
  expect(await Promise.all(refused.map(({ heard }) => heard))).toEqual(['', '']);
  expect(app.listener.dropped).toBe(2);
  expect(app.logged).toMatchObject([{ event: 'http.connections' }]);
  for (const { socket } of kept) socket.destroy();
});

test('closing waits for the answers under way, and not for connections that say nothing', async () => {
  let answer = () => {};
  let called = () => {};
  const reached = new Promise<void>((resolve) => (called = resolve));
  const app = await startApp({
    topics: () => {
      called();
      return new Promise((resolve) => (answer = () => resolve({ topics: [] })));
    },
  });
  const silent = opened(app.port, '');
  const slow = opened(app.port, 'GET /v1/topics HTTP/1.1\r\nHost: x\r\n\r\n');
  await reached;
  const closed = app.listener.close(60_000);
  answer();
  await closed;
  expect(await slow.heard).toContain('{"topics":[]}');
  expect(await silent.heard).toBe('');
});

test('closing does not wait longer than it may', async () => {
  let called = () => {};
  const reached = new Promise<void>((resolve) => (called = resolve));
  const app = await startApp({ topics: () => (called(), new Promise(() => undefined)) });
  const { heard } = opened(app.port, 'GET /v1/topics HTTP/1.1\r\nHost: x\r\n\r\n');
  await reached;
  await app.listener.close(20);
  expect(await heard).toBe('');
});
