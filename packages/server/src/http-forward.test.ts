// A follower's request to the leader over a real connection, and every way in which that can end.
import { createServer, type Server, type Socket } from 'node:net';
import { HoldfastError, OutcomeUnknownError, type RequestOf } from '@holdfast/api';
import { Pool } from 'undici';
import { expect, test, vi } from 'vitest';
import { startApp } from '../test/app.ts';
import { createForwarder, type Forwarder } from './http-forward.ts';
import type { Peer } from './member.ts';
import { parseRequest } from './service/parse.ts';

const options = () => ({ signal: new AbortController().signal });
const to = (url: string): Peer => ({ id: 'n2', peer: '127.0.0.1:1', api: url });
const schedule: RequestOf<'schedule'> = {
  params: { topic: 'a.b' },
  query: {},
  body: { delay: '5s', bodyBytes: Buffer.from([0, 255]) },
  idempotencyKey: 'k1',
};
const receive: RequestOf<'receive'> = {
  params: { topic: 't', group: 'g' },
  query: {},
  body: { wait: '60s' },
  idempotencyKey: undefined,
};
const list: RequestOf<'list'> = {
  params: { topic: 't' },
  query: { limit: '7', cursor: 'a b&c' },
  body: undefined,
  idempotencyKey: undefined,
};

const limit = 8;

async function withForwarder<T>(use: (forwarder: Forwarder) => Promise<T>): Promise<T> {
  const forwarder = createForwarder({
    polls: { connections: limit, inFlight: limit, answerMs: 60_000 },
    others: { connections: 2, inFlight: 16, answerMs: 60_000 },
  });
  try {
    return await use(forwarder);
  } finally {
    await forwarder.close();
  }
}

/** A leader that does with each connection what it is told, after it has read something. */
async function rudeLeader(
  onRequest: (socket: Socket) => void,
): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => onRequest(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, server };
}

const outcomeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'answered',
    (error: unknown) => error,
  );

test('the leader gets the request as it was written, once forwarded, and its answer comes back whole', async () => {
  const seen: unknown[] = [];
  const bodyBytes = Buffer.from([1, 2, 3]);
  await using leader = await startApp({
    schedule: (request, { forwarded }) => {
      seen.push(request, forwarded);
      return { messages: [{ id: 'abcdefgh', deliverAtMs: 9 }], repeated: true };
    },
    list: (request) => {
      seen.push(request.query);
      return { messages: [{ id: 'abcdefgh', deliverAtMs: 9, headers: { a: 'b' }, bodyBytes }] };
    },
  });
  await withForwarder(async (forwarder) => {
    expect(await forwarder.forward(to(leader.url), 'schedule', schedule, options())).toEqual({
      messages: [{ id: 'abcdefgh', deliverAtMs: 9 }],
      repeated: true,
    });
    expect(await forwarder.forward(to(leader.url), 'list', list, options())).toEqual({
      messages: [{ id: 'abcdefgh', deliverAtMs: 9, headers: { a: 'b' }, bodyBytes }],
    });
  });
  expect(seen).toMatchObject([
    {
      params: { topic: 'a.b' },
      idempotencyKey: 'k1',
      body: { messages: [{ at: { delayMs: 5_000 }, body: Buffer.from([0, 255]) }] },
    },
    true,
    { limit: 7, cursor: 'a b&c' },
  ]);
});

test('a JSON body is the same at the leader as where it came in, whatever msgpack can carry', async () => {
  const nested = 2_500;
  const bodies = [
    String.raw`"cut in the middle of an emoji: \ud83d"`,
    String.raw`{"\ud83d":1}`,
    '{"__proto__":{"admin":true},"constructor":1,"toJSON":2}',
    `${'['.repeat(nested)}${']'.repeat(nested)}`,
    '12345678901234567890',
    'null',
  ];
  const asBytes = { delay: 1, bodyBytes: Buffer.from([0, 255]), headers: { a: 'b' } };
  const written: RequestOf<'schedule'>[] = [
    ...bodies.map((body) => ({ ...schedule, body: { delay: 1, body: JSON.parse(body) as unknown } })),
    { ...schedule, body: { messages: [{ delay: 1, body: '\ud83d' }, asBytes] } },
  ];
  const seen: unknown[] = [];
  await using leader = await startApp({
    schedule: ({ body }) => {
      seen.push(body);
      return { messages: [], repeated: false };
    },
  });
  await withForwarder(async (forwarder) => {
    for (const request of written) await forwarder.forward(to(leader.url), 'schedule', request, options());
  });
  expect(JSON.stringify(seen)).toBe(JSON.stringify(written.map((request) => parseRequest('schedule', request).body)));
});

test("the leader's refusal is the caller's refusal, with all its facts", async () => {
  await using leader = await startApp({
    schedule: () => {
      throw new HoldfastError('HF_OVERLOADED', { retryAfterMs: 77, detail: 'Busy.' });
    },
  });
  const error = await withForwarder(
    async (forwarder) => await outcomeOf(forwarder.forward(to(leader.url), 'schedule', schedule, options())),
  );
  expect(error).toMatchObject({ code: 'HF_OVERLOADED', facts: { retryAfterMs: 77, detail: 'Busy.' } });
});

test('nobody listens: nothing was sent, so no leader it is', async () => {
  const { url, server } = await rudeLeader(() => undefined);
  await new Promise((resolve) => server.close(resolve));
  await withForwarder(async (forwarder) => {
    expect(await outcomeOf(forwarder.forward(to(url), 'schedule', schedule, options()))).toMatchObject({
      code: 'HF_NO_LEADER',
      applied: 'no',
    });
  });
});

test.each(['http://n2:99999', 'http://1.2.3.999:7401'])(
  'a leader at %s, which can not be, is none: nothing was sent, and it is no fault of this node',
  async (url) => {
    await withForwarder(async (forwarder) => {
      expect(await outcomeOf(forwarder.forward(to(url), 'schedule', schedule, options()))).toMatchObject({
        code: 'HF_NO_LEADER',
        applied: 'no',
      });
    });
  },
);

test.each(['EHOSTUNREACH', 'ENETUNREACH'])(
  '%s says that nothing was sent only when it came of connecting',
  async (code) => {
    const outcomes = await withForwarder(async (forwarder) => {
      const outcomeAt = async (syscall: string): Promise<unknown> => {
        const request = vi.spyOn(Pool.prototype, 'request');
        request.mockRejectedValueOnce(Object.assign(new Error(`${syscall} ${code}`), { code, syscall }));
        const outcome = await outcomeOf(forwarder.forward(to('http://127.0.0.1:1'), 'schedule', schedule, options()));
        request.mockRestore();
        return outcome;
      };
      return [await outcomeAt('connect'), await outcomeAt('read'), await outcomeAt('write')];
    });
    expect(outcomes).toMatchObject([{ code: 'HF_NO_LEADER' }, { applied: 'unknown' }, { applied: 'unknown' }]);
  },
);

test.each<[string, (socket: Socket) => void]>([
  ['resets the connection', (socket) => socket.resetAndDestroy()],
  ['closes the connection', (socket) => socket.end()],
  [
    'answers half',
    (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Type: application/msgpack\r\n\r\nhalf'),
  ],
  ['answers something else', (socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\nsorry')],
])(
  'a leader that %s: the outcome of a write is unknown, a receive or a read is only refused',
  async (_what, rudely) => {
    const { url, server } = await rudeLeader(rudely);
    await withForwarder(async (forwarder) => {
      expect(await outcomeOf(forwarder.forward(to(url), 'schedule', schedule, options()))).toBeInstanceOf(
        OutcomeUnknownError,
      );
      expect(await outcomeOf(forwarder.forward(to(url), 'receive', receive, options()))).toMatchObject({
        code: 'HF_NO_LEADER',
      });
      expect(await outcomeOf(forwarder.forward(to(url), 'list', list, options()))).toMatchObject({
        code: 'HF_NO_LEADER',
      });
      expect(forwarder.inFlight()).toBe(0);
    });
    server.close();
  },
);

test('a caller that walks away ends the request at the leader too', async () => {
  let waiting = (_signal: AbortSignal) => {};
  const called = new Promise<AbortSignal>((resolve) => (waiting = resolve));
  await using leader = await startApp({
    receive: (_request, options) => {
      waiting(options.signal);
      return new Promise((_resolve, reject) =>
        options.signal.addEventListener('abort', () => reject(new Error('walked away'))),
      );
    },
  });
  await withForwarder(async (forwarder) => {
    const walk = new AbortController();
    const outcome = outcomeOf(forwarder.forward(to(leader.url), 'receive', receive, { signal: walk.signal }));
    const atLeader = await called;
    const aborted = new Promise((resolve) => atLeader.addEventListener('abort', resolve));
    walk.abort();
    await aborted;
    expect(await outcome).toMatchObject({ code: 'HF_NO_LEADER' });
  });
});

test('as many long polls as are allowed, and the next is refused and counted; a write still passes', async () => {
  const held: AbortSignal[] = [];
  await using leader = await startApp({
    receive: (_request, options) => {
      held.push(options.signal);
      return new Promise((_resolve, reject) =>
        options.signal.addEventListener('abort', () => reject(new Error('walked away'))),
      );
    },
    schedule: () => ({ messages: [], repeated: false }),
  });
  await withForwarder(async (forwarder) => {
    const polls = Array.from({ length: limit }, () =>
      outcomeOf(forwarder.forward(to(leader.url), 'receive', receive, options())),
    );
    expect(await outcomeOf(forwarder.forward(to(leader.url), 'receive', receive, options()))).toMatchObject({
      code: 'HF_TOO_MANY_WAITING',
    });
    expect([...forwarder.refusals]).toEqual([['forward.polls', 1]]);
    expect(await forwarder.forward(to(leader.url), 'schedule', schedule, options())).toEqual({
      messages: [],
      repeated: false,
    });
    while (held.length < limit) await new Promise((resolve) => setImmediate(resolve));
    await forwarder.close();
    await Promise.all(polls);
  });
});
