import { afterEach, expect, test } from 'vitest';
import { Ends, helloOf } from '../../test/ends.ts';
import { freePort, until } from '../../test/real.ts';

const ends = new Ends();
afterEach(() => ends.close());
const at = (port: number) => ({ host: '127.0.0.1', port });
const nobody = 'nobody';

test('a node on its own listens when it gets its first peer, and is reached then', async () => {
  const [portA, portB] = [await freePort(), await freePort()];
  const a = await ends.open('a', portA, new Map());
  const early = ends.stranger(portA);
  await until(early.isClosed);
  const b = await ends.open('b', portB, new Map([['a', portA]]));
  expect(b.transport.connectedPeers()).toEqual([]);
  a.transport.setPeers(new Map([['b', at(portB)]]), nobody);
  await until(() => a.transport.connectedPeers().length === 1 && b.transport.connectedPeers().length === 1);
  b.transport.sendControl('a', Buffer.from('hello'));
  await until(() => a.controls.length === 1);
});

test('a peer that is none any more is neither heard nor reached; one that moved is found again', async () => {
  const [a, b] = await ends.pair();
  a.transport.setPeers(new Map(), nobody);
  expect(a.transport.connectedPeers()).toEqual([]);
  await until(() => b.lost.includes('a reset'));
  await until(() => (a.transport.counts.get('refused.unknownMember') ?? 0) > 0);
  a.transport.setPeers(new Map([['b', at(await freePort())]]), nobody);
  a.transport.setPeers(new Map([['b', at(b.port)]]), nobody);
  await until(() => a.transport.connectedPeers().length === 1 && b.transport.connectedPeers().length === 1);
});

test('one that is no peer any more introduces itself anew where guests are heard, and is told why it may not', async () => {
  const [a, b] = await ends.pair();
  a.refuses = helloOf('b').bootId;
  a.transport.setPeers(new Map(), 'anybody');
  await until(() => b.lost.includes('a reset'));
  await until(() => b.controls.includes(`a: not ${helloOf('b').bootId}`));
});

test('whoever waits to be taken in hears everybody, and dials nobody', async () => {
  const [portA, portB] = [await freePort(), await freePort()];
  const a = await ends.open('a', portA, new Map());
  a.transport.setPeers(new Map(), 'anybody');
  const b = await ends.open('b', portB, new Map([['a', portA]]));
  b.transport.sendControl('a', Buffer.from('early'));
  await until(() => b.transport.connectedPeers().length === 1);
  b.transport.sendControl('a', Buffer.from('come in'));
  await until(() => a.controls.includes('b: come in'));
  expect(a.transport.connectedPeers()).toEqual([]);
  // Now it is taken in: guests are heard no more, and the peer that dialled stays.
  a.transport.setPeers(new Map([['b', at(portB)]]), nobody);
  await until(() => a.transport.connectedPeers().length === 1);
  expect(b.lost).toEqual([]);
});

test('a guest is answered why it is refused', async () => {
  const [portA, portB] = [await freePort(), await freePort()];
  const a = await ends.open('a', portA, new Map());
  a.refuses = helloOf('b').bootId;
  a.transport.setPeers(new Map(), 'anybody');
  const b = await ends.open('b', portB, new Map([['a', portA]]));
  await until(() => b.controls.includes(`a: not ${helloOf('b').bootId}`));
});

test('a port that is taken is tried again', async () => {
  const [port, portB] = [await freePort(), await freePort()];
  const blocker = await ends.open('x', port, new Map([['y', await freePort()]]));
  const a = await ends.open('a', port, new Map());
  const b = await ends.open('b', portB, new Map([['a', port]]));
  a.transport.setPeers(new Map([['b', at(portB)]]), nobody);
  await until(() => (a.transport.counts.get('listen') ?? 0) > 0);
  await blocker.transport.close();
  await until(() => b.transport.connectedPeers().length === 1);
});

test('an impossible address keeps nobody from the other peers, and may be put right', async () => {
  const [portA, portB] = [await freePort(), await freePort()];
  const a = await ends.open('a', portA, new Map());
  await ends.open('b', portB, new Map([['a', portA]]));
  for (const port of [70_000, Number.NaN]) {
    a.transport.setPeers(
      new Map([
        ['c', at(port)],
        ['b', at(portB)],
      ]),
      nobody,
    );
    await until(() => a.transport.connectedPeers().includes('b'));
  }
  const portC = await freePort();
  await ends.open('c', portC, new Map([['a', portA]]));
  a.transport.setPeers(new Map([['c', at(portC)]]), nobody);
  await until(() => a.transport.connectedPeers().includes('c'));
});
