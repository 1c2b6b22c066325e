// A directory in which a bit was flipped, or of which a part is gone: the node refuses to start with a code and a sentence,
// or it starts and has everything that the damage did not touch. It never hangs, and never ends without a word.
//
// Each node is a process of its own: LevelDB does not check the blocks of its tables, and where a damaged length makes no
// sense to it, an assertion of its own ends the process.
import { cpSync, readdirSync, readFileSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { routes } from '@holdfast/api';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { type Run, run, until } from './command.ts';
import { testFolder } from './folders.ts';

const folder = testFolder();
const messages = 200;
const started: Run[] = [];

afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
});

const apiIn = (log: string): string | undefined => /"api":"(http:[^"]+)"/.exec(log)?.[1];

/** @returns where its API answers; undefined when it has ended */
async function start(dataDir: string): Promise<{ readonly node: Run; readonly api: string | undefined }> {
  const node = run('start', '--data-dir', dataDir, '--listen', '127.0.0.1:0');
  started.push(node);
  const hasEnded = (): boolean => node.child.exitCode !== null || node.child.signalCode !== null;
  await until('it answers or has ended', () => hasEnded() || apiIn(node.out()) !== undefined);
  return { node, api: hasEnded() ? undefined : apiIn(node.out()) };
}

/** How many messages it has; undefined when it ended instead. */
async function storedIn({ node, api }: { readonly node: Run; readonly api: string | undefined }) {
  let stored: number | undefined;
  await until('it says what it has', async () => {
    if (node.child.exitCode !== null || node.child.signalCode !== null) return true;
    const response = await fetch(`${api}/v1/topics/reminders`).catch(() => undefined);
    if (response?.status === 404) stored = 0;
    else if (response?.ok === true) stored = routes.topic.answer.parse(await response.json()).stored;
    return stored !== undefined;
  });
  return stored;
}

beforeAll(async () => {
  // Two lives, so that there is a table on the disk as well as a log of writes.
  for (let life = 0; life < 2; life += 1) {
    const whole = await start(folder('whole'));
    await storedIn(whole);
    const body = JSON.stringify({
      messages: Array.from({ length: messages / 2 }, (_, at) => ({ delay: '1d', body: 'x'.repeat(at) })),
    });
    const response = await fetch(`${whole.api}/v1/topics/reminders/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(response.status).toBe(200);
    whole.node.child.kill('SIGTERM');
    expect(await whole.node.ended).toBe(0);
  }
}, 60_000);

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
  cpSync(folder('whole'), folder('copy'), { recursive: true });
  expect(await storedIn(await start(folder('copy')))).toBe(messages);
});

test.each(Array.from({ length: 20 }, (_, at) => [at + 1]))('seed %i: a code, or a node that works', async (seed) => {
  const dataDir = folder(`seed-${seed}`);
  cpSync(folder('whole'), dataDir, { recursive: true });
  const done = damage(dataDir, randomOf(seed));
  const life = await start(dataDir);
  const stored = life.api === undefined ? undefined : await storedIn(life);
  if (stored !== undefined) {
    // Alone, a node can not know that the end of its log is missing: it opens as it was earlier, with whole batches.
    expect([0, messages / 2, messages], done).toContain(stored);
    return;
  }
  const how = await life.node.ended;
  if (how === 'SIGABRT') expect(life.node.err(), done).toMatch(/leveldb.*Assertion/);
  else {
    expect(how, done).not.toBe(0);
    expect(`${life.node.out()}${life.node.err()}`, done).toMatch(/HF_(?:DIRECTORY|LOG|WRONG|WIPED)_\w+: .{20,}/);
  }
});
