// Three whole nodes on loopback: any of them takes a request, and what one took another delivers after the leader is gone.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { routes } from '@holdfast/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Node, parseConfig, startNode } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-three-'));
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const ids = ['n1', 'n2', 'n3'];
let configs: ReturnType<typeof parseConfig>[] = [];
let nodes: Node[] = [];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Asks again until there is something to answer with. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const ready = (of: readonly Node[]) =>
  until(async () =>
    (await Promise.all(of.map(({ api }) => fetch(`${api}/readyz`)))).every(({ ok }) => ok) ? true : undefined,
  );

function leaderOf(of: readonly Node[]): Promise<Node> {
  return until(() => Promise.resolve(of.find((node) => node.status().serving)));
}

async function post(node: Node | undefined, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${node?.api}/v1/topics/reminders${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  expect([response.status, answer]).toEqual([200, answer]);
  return answer;
}

beforeAll(async () => {
  const members = await Promise.all(
    ids.map(async (id) => ({ id, peer: `127.0.0.1:${await freePort()}`, api: `127.0.0.1:${await freePort()}` })),
  );
  configs = members.map(({ id, peer, api }) =>
    parseConfig({ id, dataDir: join(folder, id), listen: api, peerListen: peer, peers: members }),
  );
  nodes = await Promise.all(configs.map((config) => startNode(config, { log: quiet })));
});

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  rmSync(folder, { recursive: true, force: true });
});

test('a message taken by a follower is delivered through another, and again after the leader stopped', async () => {
  await ready(nodes);
  const leader = await leaderOf(nodes);
  const [one, other] = nodes.filter((node) => node !== leader);
  const first = routes.schedule.answer.parse(await post(one, '/messages', { delay: 0, body: 'one' }));
  const later = routes.schedule.answer.parse(await post(other, '/messages', { delay: '1s', body: 'two' }));
  const receive = { max: 1, wait: '20s', create: { start: 'earliest' } };
  const got = routes.receive.answer.parse(await post(other, '/groups/mailer/receive', receive));
  expect(got.messages).toMatchObject([{ id: first.messages[0]?.id, body: 'one' }]);
  await post(one, '/groups/mailer/ack', { receipts: [got.messages[0]?.receipt] });

  await leader.stop();
  nodes = nodes.filter((node) => node !== leader);
  await leaderOf(nodes);
  await ready(nodes);
  const gotLater = routes.receive.answer.parse(await post(one, '/groups/mailer/receive', receive));
  expect(gotLater.messages).toMatchObject([{ id: later.messages[0]?.id, body: 'two', attempt: 1 }]);

  const config = configs.find(({ id }) => id === leader.id);
  if (config === undefined) throw new Error('the leader has a config');
  const again = await startNode(config, { log: quiet });
  nodes.push(again);
  const applied = (await leaderOf(nodes)).status().raft.commit;
  await until(() => Promise.resolve(again.status().raft.applied >= applied ? true : undefined));
  const metrics = await (await fetch(`${again.api}/metrics`)).text();
  expect(metrics).toMatch(/^holdfast_role\{role="follower"\} 1$/m);
});

test('a directory of another member is refused by its code', async () => {
  const [config] = configs;
  if (config === undefined) throw new Error('there are three');
  const stranger = parseConfig({ id: 'stranger', dataDir: join(folder, 'stranger'), listen: '127.0.0.1:0' });
  await (await startNode(stranger, { log: quiet })).stop();
  await expect(
    startNode({ ...config, listen: stranger.listen, dataDir: stranger.dataDir }, { log: quiet }),
  ).rejects.toMatchObject({ code: 'HF_WRONG_MEMBER' });
});
