import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runSeed } from './run-seed.ts';
import { SeedProcess } from './seed-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-seeds-'));
afterAll(() => rmSync(folder, { recursive: true }));

const order = { seed: 7, profile: 'calm' } as const;

function program(name: string, text: string): string {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, text);
  return file;
}

test('a seed that turns in a circle inside one event is killed, and said', async () => {
  const process = new SeedProcess(program('circle', `process.on('message', () => { for (;;); });`), 500);
  expect(await process.run(order)).toBe('a seed comes to its end: it was killed after 0.5 s');
});

test('a process that ends by itself is said, and the next seed gets a new one', async () => {
  const text = `process.on('message', ({ seed }) => seed === 7 ? process.exit(3) : process.send({ seed }));`;
  const process = new SeedProcess(program('ends', text), 60_000);
  expect(await process.run(order)).toBe('a seed comes to its end: its process ended with 3');
  expect(await process.run({ ...order, seed: 8 })).toEqual({ seed: 8 });
  expect(await process.run({ ...order, seed: 9 })).toEqual({ seed: 9 });
  process.end();
});

test('a run with more events than any needs ends, and says so', async () => {
  const { violations, events } = await runSeed({ ...order, mostEvents: 500 });
  expect(violations).toEqual([expect.stringMatching(/^a seed comes to its end: 501 events after \d+ ms$/)]);
  expect(events).toBe(501);
});
