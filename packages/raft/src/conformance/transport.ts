// What every transport must hold. It may lose, repeat and reorder; it may not lie, throw or wait.
import { strict as assert } from 'node:assert';
import type { Message, NodeId } from '../core/message.ts';
import { encodeEntry } from '../log/entry.ts';
import type { Hello, Transport } from '../wire/transport.ts';
import type { Check } from './check.ts';

/** What the checks of transports are given. */
export interface TransportHarness {
  /**
   * New transports for a, b and c, each of which has the two others as its peers, none started. The harness's owner closes what
   * is still open.
   */
  open(ids: readonly NodeId[]): Promise<ReadonlyMap<NodeId, Transport>>;
  /** Asks again and again, and resolves when it holds; must give up and reject after a time, or a check that fails never ends. */
  until(holds: () => boolean): Promise<void>;
}

interface End {
  readonly id: NodeId;
  readonly transport: Transport;
  readonly heard: string[];
  readonly messages: Message[];
  readonly bulk: string[];
}

const ids = ['a', 'b', 'c'];

function helloOf(id: NodeId): Hello {
  return {
    clusterId: 'one',
    id,
    members: ids,
    incarnation: `directory ${id}`,
    bootId: `boot ${id}`,
    lastDurableIndex: 7,
    versions: [1, 2],
  };
}

async function started(harness: TransportHarness): Promise<Readonly<Record<'a' | 'b' | 'c', End>>> {
  const transports = await harness.open(ids);
  const start = async (id: NodeId): Promise<End> => {
    const transport = transports.get(id);
    assert.ok(transport);
    const end: End = { id, transport, heard: [], messages: [], bulk: [] };
    await transport.start(
      {
        onMessage: (message, sample) => {
          assert.ok(Number.isFinite(sample.wallMs));
          end.heard.push(`message ${message.from}`);
          end.messages.push(message);
        },
        onControl: (from, bytes) => end.heard.push(`control ${from} ${Buffer.from(bytes).toString()}`),
        onBulk: (from, bytes) => end.bulk.push(`${from} ${Buffer.from(bytes).toString('hex')}`),
        refuses: () => undefined,
        onPeerUp: (hello) => {
          assert.deepEqual(hello, helloOf(hello.id));
          end.heard.push(`up ${hello.id}`);
        },
        onPeerLost: (peer) => end.heard.push(`lost ${peer}`),
        onActivity: () => undefined,
      },
      () => helloOf(id),
    );
    return end;
  };
  return { a: await start('a'), b: await start('b'), c: await start('c') };
}

const heartbeat = (from: NodeId, to: NodeId): Message => ({
  kind: 'heartbeat',
  term: 3,
  commit: 5,
  round: 0,
  from,
  to,
});

const bodies: Readonly<Record<string, (harness: TransportHarness) => Promise<void>>> = {
  'a message arrives as it was sent, at whom it was sent to, and says who sent it': async (harness) => {
    const { a, b, c } = await started(harness);
    const entries = [
      encodeEntry(1, 1, 'empty', Buffer.alloc(0)),
      encodeEntry(2, 1, 'commands', Buffer.alloc(100_000, 7)),
    ];
    const append: Message = {
      kind: 'appendRequest',
      term: 3,
      previousIndex: 0,
      previousTerm: 0,
      commit: 0,
      entries,
      from: 'a',
      to: 'b',
    };
    await repeatedly(
      harness,
      () => a.transport.send(append),
      () => b.messages.length > 0,
    );
    await repeatedly(
      harness,
      () => b.transport.send(heartbeat('b', 'a')),
      () => a.messages.length > 0,
    );
    const [arrived] = b.messages;
    assert.ok(arrived?.kind === 'appendRequest');
    assert.deepEqual({ ...arrived, entries: [] }, { ...append, entries: [] });
    const asText = arrived.entries.map(
      ({ index, term, kind, bytes }) => `${index} ${term} ${kind} ${Buffer.from(bytes).toString('hex')}`,
    );
    const sent = entries.map(
      ({ index, term, kind, bytes }) => `${index} ${term} ${kind} ${Buffer.from(bytes).toString('hex')}`,
    );
    assert.deepEqual(asText, sent);
    assert.deepEqual(a.messages[0], heartbeat('b', 'a'));
    assert.deepEqual(c.messages, []);
  },

  'who a peer is comes before what it says': async (harness) => {
    const { a, b } = await started(harness);
    await repeatedly(
      harness,
      () => a.transport.send(heartbeat('a', 'b')),
      () => b.messages.length > 0,
    );
    assert.ok(b.heard.includes('up a'));
    assert.ok(b.heard.indexOf('up a') < b.heard.indexOf('message a'));
  },

  'control bytes arrive beside the messages': async (harness) => {
    const { a, b } = await started(harness);
    const sent = (): void => a.transport.sendControl('b', Buffer.from('hello'));
    await repeatedly(harness, sent, () => b.heard.includes('control a hello'));
  },

  'bulk arrives beside the appends, whole': async (harness) => {
    const { a, b, c } = await started(harness);
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 251));
    await repeatedly(
      harness,
      () => a.transport.sendBulk('b', bytes),
      () => b.bulk.length > 0,
    );
    assert.equal(b.bulk[0], `a ${bytes.toString('hex')}`);
    assert.ok(!b.heard.some((heard) => heard.startsWith('control')));
    assert.deepEqual(c.bulk, []);
  },

  'who is no peer any more is cut off, also from whoever hears guests': async (harness) => {
    for (const guests of ['nobody', 'anybody'] as const) {
      const { a, b } = await started(harness);
      await repeatedly(
        harness,
        () => b.transport.send(heartbeat('b', 'a')),
        () => a.messages.length > 0,
      );
      a.transport.setPeers(new Map(), guests);
      await harness.until(() => b.heard.includes('lost a'));
    }
  },

  'a peer that closes is lost to the others, and sending to it does not throw': async (harness) => {
    const { a, b } = await started(harness);
    await repeatedly(
      harness,
      () => a.transport.send(heartbeat('a', 'b')),
      () => b.messages.length > 0,
    );
    await b.transport.close();
    await harness.until(() => a.heard.includes('lost b'));
    a.transport.send(heartbeat('a', 'b'));
    a.transport.sendControl('b', Buffer.from('nobody there'));
    a.transport.sendBulk('b', Buffer.from('nobody there'));
  },

  'after close nothing is heard, and sending does nothing': async (harness) => {
    const { a, b, c } = await started(harness);
    await repeatedly(
      harness,
      () => a.transport.send(heartbeat('a', 'b')),
      () => b.messages.length > 0,
    );
    await b.transport.close();
    const before = b.heard.length;
    b.transport.send(heartbeat('b', 'a'));
    await repeatedly(
      harness,
      () => a.transport.send(heartbeat('a', 'c')),
      () => c.messages.length > 0,
    );
    assert.equal(b.heard.length, before);
    assert.deepEqual(a.messages, []);
  },
};

/** A message may be lost at any time, most of all before the two have met: so it is sent until it has arrived. */
async function repeatedly(harness: TransportHarness, send: () => void, arrived: () => boolean): Promise<void> {
  await harness.until(() => {
    if (arrived()) return true;
    send();
    return false;
  });
}

/**
 * That messages, control and bulk arrive whole, at whom they were sent to, after whoever sent them has introduced himself, and
 * that peers are lost when they close or are cut off. Left out: `refuses` and guests, what `onPeerLost` gives as evidence,
 * `onActivity`, old versions, bounds, and a `start` that fails.
 */
export function transportChecks(harness: TransportHarness): readonly Check[] {
  return Object.entries(bodies).map(([name, body]) => ({ name: `transport: ${name}`, run: () => body(harness) }));
}
