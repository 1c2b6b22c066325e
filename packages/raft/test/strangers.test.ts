// Strangers at the peer ports of a cluster at work: it keeps its leader and its term, and everything that it is given.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import {
  type Clock,
  createRaftNode,
  createTcpTransport,
  MemoryLog,
  type PeerSecurity,
  systemClock,
  wireBounds,
} from '../src/index.ts';
import { freePort, until } from './real.ts';
import { securities } from './secured.ts';
import { type Attack, atSecret, atTls, blind, flood, informed, type Target } from './strangers.ts';
import { bytes, Notebook, seeded } from './world.ts';

const ids = ['n1', 'n2', 'n3'];
const timing = { tickMs: 10, heartbeatMs: 50, electionMinMs: 1000, electionMaxMs: 2000, fastElectionMs: 50 };
const toClose: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of toClose.splice(0).toReversed()) await close();
});

/** Strangers get a tenth of their time, so that the test need not wait for it. */
const clock: Clock = {
  ...systemClock,
  after: (delayMs, callback) =>
    systemClock.after(delayMs === wireBounds.handshakeMs ? delayMs / 10 : delayMs, callback),
};

interface Recorder {
  readonly port: number;
  /** What the dialling side has said on the connection on which it said most. */
  readonly recorded: () => readonly Buffer[];
}

/** Passes everything on to this port, and keeps some of it. */
async function recorder(port: number): Promise<Recorder> {
  const said: Buffer[][] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const onward = connect({ host: '127.0.0.1', port });
    sockets.push(socket, onward);
    for (const end of [socket, onward]) end.on('error', () => end.destroy());
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
    const chunks: Buffer[] = [];
    said.push(chunks);
    socket.on('data', (chunk) => chunks.length < 100 && chunks.push(chunk));
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  toClose.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port: own }: Partial<AddressInfo> = Object(server.address());
  return { port: own ?? 0, recorded: () => said.toSorted((a, b) => b.length - a.length)[0] ?? [] };
}

async function start(id: string, port: number, ports: ReadonlyMap<string, number>, security: PeerSecurity) {
  const random = seeded(port);
  const peers = new Map([...ports].map(([peer, peerPort]) => [peer, { host: '127.0.0.1', port: peerPort }]));
  peers.delete(id);
  const transport = createTcpTransport({ id, listen: { host: '127.0.0.1', port }, peers, clock, random, security });
  const machine = new Notebook();
  const fatal: Error[] = [];
  const owner = {
    entryHeader: () => bytes(id),
    onLeader: () => undefined,
    onLeaderLost: () => undefined,
    onSample: () => undefined,
    onFatal: (error: Error) => fatal.push(error),
  };
  const log = new MemoryLog({ id, members: ids, random });
  const node = createRaftNode<number>({
    id,
    members: ids,
    addresses: new Map([...ports].map(([peer, at]) => [peer, String(at)])),
    reach: (text) => (text === '' ? undefined : { host: '127.0.0.1', port: Number(text) }),
    timing,
    log,
    stateMachine: machine,
    transport,
    clock,
    random,
    owner,
  });
  await node.start();
  toClose.push(() => node.stop());
  return { id, port, node, machine, transport, fatal };
}

test.each<[PeerSecurity['kind'], Readonly<Record<string, Attack>>, readonly string[]]>([
  ['none', blind, ['broken.magic', 'broken.size', 'broken.handshake']],
  [
    'secret',
    { ...blind, ...informed, ...atSecret },
    ['broken.magic', 'broken.size', 'refused.security', 'refused.secret'],
  ],
  [
    'tls',
    { ...blind, ...informed, ...atTls },
    ['tls.handshake', 'tls.noCertificate', 'tls.untrusted', 'tls.expired', 'refused.certificate'],
  ],
])(
  '%s: a cluster keeps its leader and its term, and everything that it is given',
  async (kind, attacks, counts) => {
    const seed = Date.now() % 100_000;
    console.info(`seed ${seed}`);
    const ports = new Map(await Promise.all(ids.map(async (id) => [id, await freePort()] as const)));
    // Who dials n1 is recorded on the way.
    const toFirst = await recorder(ports.get('n1') ?? 0);
    const known = new Map(ports).set('n1', toFirst.port);
    const members = await Promise.all(ids.map((id) => start(id, ports.get(id) ?? 0, known, securities[kind](id))));
    await until(() => members.some(({ node }) => node.status().role === 'leader'), 20_000);
    const leader = members.find(({ node }) => node.status().role === 'leader');
    if (leader === undefined) throw new Error('nobody leads');
    const apply = async (note: string): Promise<string> => (await leader.node.propose(bytes(note))).kind;
    await until(() => members.every(({ transport }) => transport.connectedPeers().length === 2));
    expect(await apply('before')).toBe('applied');
    const { term } = leader.node.status();
    await until(() => toFirst.recorded().length > 3);

    const random = seeded(seed);
    const targets = members.map(({ id, port }): Target => {
      return { id, port, other: id === 'n2' ? 'n3' : 'n2', recorded: toFirst.recorded, random };
    });
    const notes = ['before'];
    const during = async (attack: Promise<unknown>): Promise<void> => {
      const progress = { isOver: false };
      const over = attack.finally(() => {
        progress.isOver = true;
      });
      do {
        notes.push(`note ${notes.length}`);
        expect(await apply(notes.at(-1) ?? '')).toBe('applied');
      } while (!progress.isOver && notes.length < 1000);
      await over;
    };
    const areCounted = (...names: readonly string[]): boolean =>
      members.every(({ transport }) => names.every((name) => (transport.counts.get(name) ?? 0) > 0));
    // On a machine at its limit a stranger may be sent away for being slow, before it is seen for what it is.
    const once = () => Promise.all(Object.values(attacks).flatMap((attack) => targets.map(attack)));
    for (let rounds = 0; !areCounted(...counts, 'strangers.tooSlow') && rounds < 10; rounds++) await during(once());
    for (let floods = 0; !areCounted('strangers.tooMany') && floods < 20; floods++)
      await during(Promise.all(targets.map(flood)));

    for (const { transport, fatal, node } of members) {
      for (const name of [...counts, 'strangers.tooSlow', 'strangers.tooMany']) {
        expect(transport.counts.get(name) ?? 0, name).toBeGreaterThan(0);
      }
      expect(fatal).toEqual([]);
      expect(node.status()).toMatchObject({ term, leader: leader.id });
      expect(transport.connectedPeers()).toHaveLength(2);
      expect(transport.counts.get('lost.reset')).toBeUndefined();
    }
    await until(() => members.every(({ machine }) => machine.notes.length === notes.length));
    for (const { machine } of members) expect(machine.notes).toEqual(notes);
  },
  60_000,
);
