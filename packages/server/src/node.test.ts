// Whole nodes on loopback and real directories: started, used over HTTP, stopped, started again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { routes } from '@holdfast/api';
import { afterAll, expect, test } from 'vitest';
import { parseConfig } from './config-sources.ts';
import { startNode } from './node.ts';
import type { Node } from './node-types.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-node-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const alone = (dataDir: string) =>
  parseConfig({ dataDir: join(folder, dataDir), listen: '127.0.0.1:0', logLevel: 'silent' });

/** Waits until the node says that it is ready. */
async function ready({ api }: Node): Promise<void> {
  for (;;) {
    if ((await fetch(`${api}/readyz`)).ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function post(node: Node, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${node.api}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return await response.json();
}

const receiveOne = { max: 1, wait: '10s', create: { start: 'earliest' } };

test('a node on its own schedules, delivers, stops, and finds its data again', async () => {
  const first = await startNode(alone('once'), { log: quiet });
  await ready(first);
  const { messages } = routes.schedule.answer.parse(
    await post(first, '/v1/topics/reminders/messages', { delay: 0, body: { to: 'ada' } }),
  );
  await first.stop();
  await expect(fetch(`${first.api}/livez`)).rejects.toThrow();

  const second = await startNode(alone('once'), { log: quiet });
  await ready(second);
  const got = routes.receive.answer.parse(await post(second, '/v1/topics/reminders/groups/mailer/receive', receiveOne));
  expect(got.messages).toMatchObject([{ id: messages[0]?.id, body: { to: 'ada' } }]);
  await post(second, '/v1/topics/reminders/groups/mailer/ack', { receipts: [got.messages[0]?.receipt] });
  const metrics = await (await fetch(`${second.api}/metrics`)).text();
  expect(metrics).toMatch(/^holdfast_role\{role="leader"\} 1$/m);
  expect(metrics).toMatch(/^holdfast_delivery_lateness_seconds_count\{topic="reminders"\} 1$/m);
  expect(metrics).toMatch(/^holdfast_log_write_seconds_count [1-9]/m);
  await second.stop();
});

test('a second node on the same directory is refused, and the first goes on', async () => {
  const node = await startNode(alone('locked'), { log: quiet });
  await ready(node);
  await expect(startNode(alone('locked'), { log: quiet })).rejects.toMatchObject({ code: 'HF_DIRECTORY_LOCKED' });
  await post(node, '/v1/topics/t/messages', { delay: '1h', body: 1 });
  await node.stop();
});

test('a port that is taken is a sentence, and the directory is free again', async () => {
  const node = await startNode(alone('port'), { log: quiet });
  const port = Number(new URL(node.api).port);
  const config = { ...alone('other'), listen: { host: '127.0.0.1', port } };
  await expect(startNode(config, { log: quiet })).rejects.toThrow(
    /^HF_API_PORT: .*EADDRINUSE.* Look for a second process/,
  );
  await node.stop();
  await (await startNode(alone('other'), { log: quiet })).stop();
});

test('stopping answers a long poll, and the second call of stop is the first', async () => {
  const node = await startNode(alone('poll'), { log: quiet });
  await ready(node);
  const poll = fetch(`${node.api}/v1/topics/t/groups/g/receive`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...receiveOne, wait: '60s' }),
  });
  for (;;) {
    if ((await (await fetch(`${node.api}/metrics`)).text()).includes('\nholdfast_waiting_receives 1\n')) break;
  }
  await Promise.all([node.stop(), node.stop()]);
  expect((await poll).status).toBe(503);
});
