// Which protocol two builds speak. The bytes of version 1 stand here as that build wrote and read them.
import { createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Ends, helloOf } from '../../test/ends.ts';
import { freePort, until } from '../../test/real.ts';
import { encodeFrame, FrameReader } from './frame.ts';
import { agreedVersion, decodeGreeting, decodeWelcome, maxHandshakeBytes } from './handshake.ts';

const ends = new Ends();
afterEach(() => ends.close());

const oldHello = { ...helloOf('b'), versions: undefined };
const frameOf = (kind: 'greeting' | 'welcome', value: unknown): Buffer =>
  encodeFrame(kind, 1, Buffer.from(JSON.stringify(value)), 0);

function bodyOf(bytes: Buffer): Buffer {
  const [frame] = [...new FrameReader(1, maxHandshakeBytes).read(bytes)];
  return frame?.body ?? Buffer.alloc(0);
}

/** Listens as the first build did: takes a greeting whose version is 1, and knows nothing of versions in a hello. */
async function oldListener(
  port: number,
  takes = (version: unknown): boolean => version === 1,
): Promise<readonly unknown[]> {
  const greetings: unknown[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const { version, lane, to }: Readonly<Record<string, unknown>> = JSON.parse(bodyOf(chunk).toString());
      greetings.push({ version, lane, to });
      if (takes(version)) socket.write(frameOf('welcome', { version: 1, hello: oldHello }));
      else socket.end(encodeFrame('refusal', 1, Buffer.from('{"reason":"version"}'), 0));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  ends.closeLater({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return greetings;
}

test.each([
  [[1, 2], [1, 2], 2],
  [[1, 2], [1], 1],
  [[2], [1], undefined],
  [[1, 2], [2, 3], 2],
  [[1, 2], [7], undefined],
])('%j and %j speak %s', (ours, theirs, agreed) => {
  expect(agreedVersion(ours, theirs)).toBe(agreed);
  expect(agreedVersion(theirs, ours)).toBe(agreed);
});

test('two of this build speak version 2, and each knows what the other speaks', async () => {
  const [a, b] = await ends.pair();
  expect(new Set([a, b].flatMap(({ ups }) => ups.map(({ versions }) => versions.join())))).toEqual(new Set(['1,2']));
  expect(a.transport.versionTo('b')).toBe(2);
});

test('a member of the first build is welcomed in version 1', async () => {
  const a = await ends.open('a', await freePort(), new Map([['b', await freePort()]]));
  const { socket, answered } = ends.stranger(a.port);
  socket.write(frameOf('greeting', { version: 1, lane: 'control', to: 'a', hello: oldHello }));
  await until(() => answered().length > 0);
  expect(decodeWelcome(bodyOf(answered()))?.version).toBe(1);
  expect(a.ups.map(({ id, versions }) => ({ id, versions }))).toEqual([{ id: 'b', versions: [1] }]);
});

test('the first build takes our greeting, and is spoken to in version 1', async () => {
  const port = await freePort();
  const greetings = await oldListener(port);
  const a = await ends.open('a', await freePort(), new Map([['b', port]]));
  await until(() => a.transport.connectedPeers().length === 1);
  expect(greetings).toContainEqual({ version: 1, lane: 'bulk', to: 'b' });
  expect(a.transport.versionTo('b')).toBe(1);
  expect(a.ups[0]?.versions).toEqual([1]);
});

test('who accepts version 1 no more refuses the first build by name, and is refused by it', async () => {
  const port = await freePort();
  const greetings = await oldListener(port);
  const a = await ends.open('a', await freePort(), new Map([['b', port]]), { hello: { versions: [2] } });
  const { socket, answered, isClosed } = ends.stranger(a.port);
  socket.write(frameOf('greeting', { version: 1, lane: 'control', to: 'a', hello: oldHello }));
  await until(isClosed);
  expect(JSON.parse(bodyOf(answered()).toString())).toEqual({ reason: 'version' });
  expect(a.transport.counts.get('refused.version')).toBe(1);
  await until(() => (a.transport.counts.get('refusedByPeer') ?? 0) >= 2);
  expect(greetings[0]).toMatchObject({ version: 2 });
  expect(a.ups).toEqual([]);
});

test('who is too old hears the reason of the owner, where it has one', async () => {
  const a = await ends.open('a', await freePort(), new Map([['b', await freePort()]]), { hello: { versions: [2] } });
  a.refuses = oldHello.bootId;
  const { socket, answered, isClosed } = ends.stranger(a.port);
  socket.write(frameOf('greeting', { version: 1, lane: 'control', to: 'a', hello: oldHello }));
  await until(isClosed);
  expect(bodyOf(answered()).toString()).toBe(`not ${oldHello.bootId}`);
  expect(a.transport.counts.get('refused.version')).toBe(1);
});

test('a welcome in a version that was not offered is refused', async () => {
  const port = await freePort();
  await oldListener(port, () => true);
  const a = await ends.open('a', await freePort(), new Map([['b', port]]), { hello: { versions: [2] } });
  await until(() => (a.transport.counts.get('refused.version') ?? 0) >= 2);
  expect(a.ups).toEqual([]);
});

test.each([
  ['no list', 2],
  ['an empty list', []],
  ['no number in it', ['2']],
  ['a version that is none', [1.5]],
  ['a version below the first', [0]],
])('a hello whose versions are %s is no hello', (_, versions) => {
  const greeting = { version: 1, lane: 'control', to: 'a', hello: { ...oldHello, versions } };
  expect(decodeGreeting(Buffer.from(JSON.stringify(greeting)))).toBeUndefined();
});
