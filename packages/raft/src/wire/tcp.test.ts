import { afterEach, expect, test } from 'vitest';
import { Ends, helloOf, type Stranger } from '../../test/ends.ts';
import { freePort, until } from '../../test/real.ts';
import { encodeEntry } from '../log/entry.ts';
import { systemClock } from '../system-clock.ts';
import { wireBounds } from './bounds.ts';
import { encodeFrame } from './frame.ts';
import { encodeHandshake } from './handshake.ts';
import { createTcpTransport } from './tcp.ts';
import type { Hello } from './transport.ts';

const ends = new Ends();
afterEach(() => ends.close());

const heartbeat = { kind: 'heartbeat', term: 1, commit: 0, round: 0, from: 'a', to: 'b' } as const;
/** Of 4 MiB. */
const append = {
  kind: 'appendRequest',
  term: 1,
  previousIndex: 0,
  previousTerm: 0,
  commit: 0,
  entries: [encodeEntry(1, 1, 'commands', Buffer.alloc(4 * 2 ** 20))],
  from: 'a',
  to: 'b',
} as const;

test('messages arrive in order on each lane, entries and all, and each end knows who the other is', async () => {
  const [a, b] = await ends.pair();
  const entries = [1, 2, 3].map((index) => encodeEntry(index, 1, 'commands', Buffer.alloc(300_000, index)));
  a.transport.send({ ...append, entries });
  for (let commit = 0; commit < 100; commit++) a.transport.send({ ...heartbeat, commit });
  a.transport.sendControl('b', Buffer.from('over the side'));
  await until(() => b.messages.length === 101 && b.controls.length === 1);

  const arrived = b.messages.flatMap((message) => (message.kind === 'appendRequest' ? message.entries : []));
  expect(arrived.map(({ index }) => index)).toEqual([1, 2, 3]);
  expect(
    arrived.every(
      ({ bytes }, i) => entries[i]?.bytes !== bytes && Buffer.compare(bytes, entries[i]?.bytes ?? bytes) === 0,
    ),
  ).toBe(true);
  const commits = b.messages.flatMap((message) => (message.kind === 'heartbeat' ? [message.commit] : []));
  expect(commits).toEqual([...Array(100).keys()]);
  expect(b.controls).toEqual(['a: over the side']);
  expect(b.activity).toBeGreaterThan(0);
  expect(new Set(b.ups.map((hello) => hello.incarnation))).toEqual(new Set(['directory of a']));
});

test('a process that is gone is known to be dead at once, and found again when it is back', async () => {
  const [a, b] = await ends.pair();
  await b.transport.close();
  await until(() => a.lost.includes('b dead'));
  expect(a.lost.indexOf('b reset')).toBeGreaterThanOrEqual(0);
  expect(a.lost.indexOf('b reset')).toBeLessThan(a.lost.indexOf('b dead'));

  const again = await ends.open('b', b.port, new Map([['a', a.port]]));
  again.hello = helloOf('b', 'another boot');
  await until(() => a.transport.connectedPeers().length === 1);
  a.transport.send(heartbeat);
  await until(() => again.messages.length === 1);
});

test('a message that can not be sent is dropped and counted', async () => {
  const a = await ends.open('a', await freePort(), new Map([['b', await freePort()]]));
  a.transport.send(heartbeat);
  expect(a.transport.counts.get('dropped.notConnected')).toBe(1);
});

test('a peer that takes no bytes does not make the queue grow without end', async () => {
  const [a, b] = await ends.pair();
  // All in one go: nothing can leave meanwhile.
  for (let i = 0; i < 20; i++) a.transport.send(append);
  expect(a.transport.counts.get('dropped.queueFull')).toBeGreaterThan(10);
  await until(() => b.messages.length === 20 - (a.transport.counts.get('dropped.queueFull') ?? 0));
});

test('a heartbeat passes a full queue of appends', async () => {
  const [a, b] = await ends.pair();
  while (!a.transport.counts.has('dropped.queueFull')) a.transport.send(append);
  a.transport.send(heartbeat);
  expect(a.transport.counts.get('dropped.queueFull'), 'the heartbeat has room').toBe(1);
  await until(() => b.messages.some(({ kind }) => kind === 'heartbeat'));
  const appends = Math.floor(wireBounds.maxBulkQueueBytes / (4 * 2 ** 20)) - 1;
  expect(b.messages.findIndex(({ kind }) => kind === 'heartbeat')).toBeLessThan(appends);
  await until(() => b.messages.filter(({ kind }) => kind === 'appendRequest').length === appends);
});

test.each<[string, Buffer, string]>([
  ['garbage', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'broken.magic'],
  ['a frame that says it is huge', encodeFrame('greeting', 1, Buffer.from('{}'), 2 ** 30), 'broken.size'],
  ['another group', encodeFrame('greeting', 2, Buffer.from('{}'), 0), 'broken.group'],
  ['a greeting that is none', encodeFrame('greeting', 1, Buffer.from('[1, 2'), 0), 'broken.handshake'],
  ['a name that no member can have', greetingOf({ to: 'a', hello: helloOf('z'.repeat(256)) }), 'broken.handshake'],
  ['a message before the greeting', encodeFrame('message', 1, Buffer.from('x'), 0), 'broken.handshake'],
  ['an unknown member', greetingOf({ to: 'a', hello: helloOf('z') }), 'refused.unknownMember'],
  ['somebody who looks for another', greetingOf({ to: 'z', hello: helloOf('b') }), 'refused.wrongReceiver'],
  ['another protocol', greetingOf({ to: 'a', hello: { ...helloOf('b'), versions: [99] } }), 'refused.newer'],
])('%s from a stranger is closed and counted, and the members do not notice', async (_, bytes, count) => {
  const [a, b] = await ends.pair();
  const { socket, isClosed } = ends.stranger(a.port);
  socket.write(bytes);
  await until(isClosed);
  expect(a.transport.counts.get(count)).toBe(1);
  b.transport.send({ kind: 'heartbeatResponse', term: 1, applied: 0, round: 0, from: 'b', to: 'a' });
  await until(() => a.messages.length === 1);
});

function greetingOf(parts: { to: string; hello: Hello }): Buffer {
  return encodeFrame('greeting', 1, encodeHandshake({ version: 1, lane: 'control', ...parts }), 0);
}

test('a known member that then sends a broken message is closed and counted', async () => {
  const port = await freePort();
  const a = await ends.open('a', port, new Map([['b', await freePort()]]));
  const { socket, isClosed } = ends.stranger(port);
  socket.write(greetingOf({ to: 'a', hello: helloOf('b') }));
  socket.write(encodeFrame('message', 1, Buffer.from([200, 1, 2, 3]), 0));
  await until(isClosed);
  expect(a.transport.counts.get('broken.message')).toBe(1);
  expect(a.messages).toEqual([]);
});

test('who does not introduce himself in time is closed, and there may be only so many of them', async () => {
  const deadlines: (() => unknown)[] = [];
  const clock = {
    ...systemClock,
    after: (delayMs: number, callback: () => void) => {
      if (delayMs !== wireBounds.handshakeMs) return systemClock.after(delayMs, callback);
      let isCancelled = false;
      deadlines.push(() => isCancelled || callback());
      return () => {
        isCancelled = true;
      };
    },
  };
  const port = await freePort();
  const a = await ends.open('a', port, new Map([['z', 1]]), { clock });
  const strangers: Stranger[] = [];
  for (const isOpen of Array.from(
    { length: wireBounds.maxStrangers },
    () => () => deadlines.length === strangers.length,
  )) {
    strangers.push(ends.stranger(port));
    await until(isOpen);
  }
  expect(strangers.some(({ isClosed }) => isClosed())).toBe(false);
  const [oldest, ...others] = strangers;
  const oneMore = ends.stranger(port);
  await until(() => oldest === undefined || oldest.isClosed());
  expect(a.transport.counts.get('strangers.tooMany')).toBe(1);
  expect([oneMore, ...others].some(({ isClosed }) => isClosed())).toBe(false);

  for (const pass of deadlines) pass();
  await until(() => [oneMore, ...others].every(({ isClosed }) => isClosed()));
  expect(a.transport.counts.get('strangers.tooSlow')).toBe(wireBounds.maxStrangers);
});

test('a member comes in while strangers hold every place that they can get', async () => {
  const [portA, portB] = [await freePort(), await freePort()];
  const a = await ends.open('a', portA, new Map([['b', portB]]));
  const refill = setInterval(() => ends.stranger(portA), 2);
  ends.closeLater({ close: () => clearInterval(refill) });
  await until(() => (a.transport.counts.get('strangers.tooMany') ?? 0) > 10);
  const b = await ends.open('b', portB, new Map([['a', portA]]));
  await until(() => b.transport.connectedPeers().length === 1);
});

test('a port that is taken is an error that says so', async () => {
  const port = await freePort();
  await ends.open('a', port, new Map([['z', 1]]));
  await expect(ends.open('b', port, new Map([['z', 1]]))).rejects.toMatchObject({ code: 'HF_PEER_PORT' });
});

test('two processes under one name do not take each other’s place at full speed', async () => {
  const [portA, portB, portC] = [await freePort(), await freePort(), await freePort()];
  const a = await ends.open('a', portA, new Map([['b', portB]]));
  const toA = new Map([['a', portA]]);
  const twins = [await ends.open('b', portB, toA), await ends.open('b', portC, toA)];
  const resets = (): number => twins.reduce((sum, { lost }) => sum + lost.length, 0);
  await until(() => resets() >= 8);
  const startedAtMs = performance.now();
  const before = resets();
  await until(() => performance.now() - startedAtMs > 300);
  expect(resets() - before).toBeLessThan(100);
  expect(a.transport.counts.get('lost.reset') ?? 0).toBeLessThan(5);
});

test('a process that is refused hears why on its own connections, and the other one of its name notices nothing', async () => {
  const [a, b] = await ends.pair();
  a.refuses = 'boot of a stray';
  const { socket, isClosed, answered } = ends.stranger(a.port);
  socket.write(greetingOf({ to: 'a', hello: helloOf('b', 'boot of a stray') }));
  socket.write(encodeFrame('control', 1, Buffer.from('from the stray'), 0));
  await until(isClosed);
  expect(answered().toString()).toContain('not boot of a stray');
  b.transport.send({ kind: 'heartbeatResponse', term: 1, applied: 0, round: 0, from: 'b', to: 'a' });
  await until(() => a.messages.length === 1);
  expect(a.controls).toEqual([]);
  expect(b.controls).toEqual([]);
  expect([a.lost, b.lost]).toEqual([[], []]);
  expect(a.ups.every(({ bootId }) => bootId === 'boot of b')).toBe(true);
});

test('a process that is refused at its own address hears why, and is tried again', async () => {
  const [portA, portB] = [await freePort(), await freePort()];
  const b = await ends.open('b', portB, new Map([['a', portA]]));
  b.hello = helloOf('b', 'wiped');
  const a = await ends.open('a', portA, new Map([['b', portB]]));
  a.refuses = 'wiped';
  await until(() => b.controls.includes('a: not wiped') && (a.transport.counts.get('refused.process') ?? 0) > 4);
  expect(a.ups).toEqual([]);
  a.refuses = undefined;
  await until(() => a.transport.connectedPeers().length === 1 && b.transport.connectedPeers().length === 1);
});

test('who hears of a death may close the transport: it does not connect again', async () => {
  const timers = new Set<() => void>();
  const clock = {
    ...systemClock,
    after: (delayMs: number, callback: () => void) => {
      const cancel = systemClock.after(delayMs, () => {
        timers.delete(cancel);
        callback();
      });
      timers.add(cancel);
      return () => {
        timers.delete(cancel);
        cancel();
      };
    },
  };
  const [portA, portB] = [await freePort(), await freePort()];
  const b = await ends.open('b', portB, new Map([['a', portA]]));
  const a = await ends.open('a', portA, new Map([['b', portB]]), { clock });
  await until(() => a.transport.connectedPeers().length === 1);
  let closed: Promise<void> | undefined;
  a.onLost = (evidence) => {
    if (evidence === 'dead') closed ??= a.transport.close();
  };
  await b.transport.close();
  await until(() => closed !== undefined);
  await closed;
  expect(timers.size, 'nothing is planned any more').toBe(0);
});

test('a transport that is closed while it starts has started and is closed', async () => {
  const [port, peerPort] = [await freePort(), await freePort()];
  const b = await ends.open('b', peerPort, new Map([['z', 1]]));
  const listen = { host: '127.0.0.1', port };
  const peers = new Map([['b', { host: '127.0.0.1', port: peerPort }]]);
  for (const moments of [0, 1, 2, 3]) {
    const transport = createTcpTransport({ id: 'a', listen, peers, clock: systemClock, random: () => 0.5 });
    ends.closeLater(transport);
    const nothing = (): undefined => undefined;
    const deaf = { onMessage: nothing, onControl: nothing, onBulk: nothing, onPeerLost: nothing, onActivity: nothing };
    const started = transport.start({ ...deaf, refuses: nothing, onPeerUp: nothing }, () => helloOf('a'));
    for (let i = 0; i < moments; i++)
      await new Promise((resolve) => {
        process.nextTick(resolve);
      });
    await transport.close();
    await started;
    expect(transport.connectedPeers()).toEqual([]);
  }
  // The port is free again.
  await ends.open('a', port, new Map([['z', 1]]));
  expect(b.lost).toEqual([]);
});

test('what a dead process has sent is not heard after the news of its death', async () => {
  const [portA, portB] = [await freePort(), await freePort()];
  // Does not reach a itself: the test speaks for it.
  const b = await ends.open('b', portB, new Map([['a', await freePort()]]));
  const a = await ends.open('a', portA, new Map([['b', portB]]));
  await until(() => a.transport.connectedPeers().length === 1);
  const { socket, isClosed } = ends.stranger(portA);
  socket.write(greetingOf({ to: 'a', hello: helloOf('b') }));
  socket.write(encodeFrame('control', 1, Buffer.from('alive'), 0));
  await until(() => a.controls.length === 1);
  a.onLost = (evidence) => {
    if (evidence === 'dead') socket.write(encodeFrame('control', 1, Buffer.from('late'), 0));
  };
  await b.transport.close();
  await until(isClosed);
  expect(a.lost).toContain('b dead');
  expect(a.controls).toEqual(['b: alive']);
});
