// A directory in which a bit was flipped, or of which a part is gone: the node refuses to start with a code and a sentence,
// or it starts and has everything that the damage did not touch. It never hangs, and never ends without a word.
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { routes } from '@holdfast/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Node, parseConfig, startNode } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-damaged-'));
const whole = join(folder, 'whole');
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const messages = 200;
const start = (dataDir: string) => startNode(parseConfig({ dataDir, listen: '127.0.0.1:0' }), { log: quiet });

async function storedIn(node: Node): Promise<number> {
  for (;;) {
    const response = await fetch(`${node.api}/v1/topics/reminders`);
    if (response.status === 404) return 0;
    if (response.ok) return routes.topic.answer.parse(await response.json()).stored;
    expect(response.status).toBe(503);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

beforeAll(async () => {
  // Two lives, so that there is a table on the disk as well as a log of writes.
  for (let life = 0; life < 2; life += 1) {
    const node = await start(whole);
    await storedIn(node);
    const body = JSON.stringify({
      messages: Array.from({ length: messages / 2 }, (_, at) => ({ delay: '1d', body: 'x'.repeat(at) })),
    });
    const response = await fetch(`${node.api}/v1/topics/reminders/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(response.status).toBe(200);
    await node.stop();
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The same numbers for the same seed, in [0, 1) (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** @returns what was done, for the case that it is the one that fails */
function damage(dataDir: string, random: () => number): string {
  const database = join(dataDir, 'db');
  const files = readdirSync(database).filter(
    (file) => /\.(log|ldb|sst)$|^MANIFEST|^CURRENT/.test(file) && statSync(join(database, file)).size > 0,
  );
  const name = files[Math.floor(random() * files.length)] ?? '';
  const file = join(database, name);
  const bytes = readFileSync(file);
  const at = Math.floor(random() * bytes.length);
  const kind = random();
  if (kind < 0.7) {
    bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    writeFileSync(file, bytes);
    return `bit of byte ${at} of ${name}`;
  }
  if (kind < 0.85) {
    truncateSync(file, at);
    return `${name} cut at ${at}`;
  }
  unlinkSync(file);
  return `${name} deleted`;
}

test('an undamaged copy has everything', async () => {
  const dataDir = join(folder, 'copy');
  cpSync(whole, dataDir, { recursive: true });
  const node = await start(dataDir);
  expect(await storedIn(node)).toBe(messages);
  await node.stop();
});

test.each(Array.from({ length: 30 }, (_, at) => [at + 1]))('seed %i: a code, or a node that works', async (seed) => {
  const dataDir = join(folder, `seed-${seed}`);
  cpSync(whole, dataDir, { recursive: true });
  const done = damage(dataDir, randomOf(seed));
  const node = await start(dataDir).catch((error: unknown) => error);
  if (node instanceof Error) {
    expect('code' in node ? node.code : node, done).toMatch(/^HF_(?:DIRECTORY|LOG|WRONG|WIPED)_/);
    expect(node.message, done).toMatch(/^HF_\w+: .{20,}/s);
    return;
  }
  const running = node as Node;
  // Alone, a node can not know that the end of its log is missing: it opens as it was earlier, with whole batches.
  expect([0, messages / 2, messages], done).toContain(await storedIn(running));
  await running.stop();
});
