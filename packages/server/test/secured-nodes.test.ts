// Whole nodes that know each other by files: a secret, or certificates.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAuthority } from '../../raft/test/certificates.ts';
import type { NodeConfigInput } from '../src/config.ts';
import { type Node, parseConfig, startNode } from '../src/index.ts';

let folder = '';
let members: { readonly id: string; readonly peer: string; readonly api: string }[] = [];
const nodes: Node[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-secured-'));
  const free = () => freePort().then((port) => `127.0.0.1:${port}`);
  members = await Promise.all(['n1', 'n2', 'n3'].map(async (id) => ({ id, peer: await free(), api: await free() })));
});

afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
  rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function until<T>(ask: () => T | undefined): Promise<T> {
  for (;;) {
    const found = ask();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
}

interface Line {
  readonly event: string;
}

async function start(id: string, security: NodeConfigInput, lines: Line[] = []): Promise<Node> {
  const self = members.find((member) => member.id === id);
  if (self === undefined) throw new Error(`no member ${id}`);
  const place = { id, dataDir: join(folder, id), listen: self.api, peerListen: self.peer, peers: members };
  const log = { info: () => undefined, warn: (line: Line) => void lines.push(line), error: () => undefined };
  const node = await startNode(parseConfig({ ...place, ...security }), { log });
  nodes.push(node);
  return node;
}

const secret = 'at least thirty-two bytes, drawn at random';

test('three nodes with one secret elect a leader; a process that guesses it changes nothing, and is logged', async () => {
  const peerSecretFile = file('secret', `${secret}\n`);
  const lines: Line[] = [];
  const first = await start('n1', { peerSecretFile }, lines);
  await start('n2', { peerSecret: secret });
  const third = await start('n3', { peerSecretFile });
  await until(() => nodes.find((node) => node.status().serving));
  await third.stop();
  const rest = nodes.filter((node) => node !== third);
  const leader = await until(() => rest.find((node) => node.status().serving));
  const { term } = leader.status().raft;

  await start('n3', { peerSecret: `${secret}, or so one guesses` });
  const faults = () => lines.filter(({ event }) => event === 'peers.fault');
  await until(() => faults()[0]);
  let metrics = '';
  while (!/peers\.refused\.secret"\} [1-9]/.test(metrics)) metrics = await (await fetch(`${first.api}/metrics`)).text();
  expect(faults()).toHaveLength(1);
  expect(leader.status().raft).toMatchObject({ role: 'leader', term });
});

test('three nodes with certificates elect a leader', async () => {
  const authority = createAuthority('members');
  const peerTlsCa = file('ca.pem', authority.cert);
  for (const { id } of members) {
    const { key, cert } = authority.issue({ name: id, dnsNames: [id] });
    await start(id, { peerTlsCa, peerTlsKey: file(`${id}.key`, key), peerTlsCert: file(`${id}.pem`, cert) });
  }
  const leader = await until(() => nodes.find((node) => node.status().serving));
  await until(() => (leader.status().raft.followers.size === 2 ? true : undefined));
});

test.each<[string, () => NodeConfigInput, string]>([
  ['a file that is not there', () => ({ peerSecretFile: join(folder, 'nothing') }), 'HF_CONFIG'],
  ['a short secret', () => ({ peerSecretFile: file('short', 'hunter2') }), 'HF_PEER_SECURITY'],
  ['an empty file', () => ({ peerSecretFile: file('empty', '\n') }), 'HF_PEER_SECURITY'],
  [
    'the certificate of another member',
    () => {
      const authority = createAuthority('members');
      const { key, cert } = authority.issue({ name: 'n2', dnsNames: ['n2'] });
      const [peerTlsKey, peerTlsCert] = [file('key', key), file('cert', cert)];
      return { peerTlsCa: file('ca', authority.cert), peerTlsKey, peerTlsCert };
    },
    'HF_PEER_SECURITY',
  ],
])('a node with %s does not start', async (_, security, code) => {
  await expect(start('n1', security())).rejects.toMatchObject({ code });
});
