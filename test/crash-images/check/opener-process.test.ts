import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import type { Claims } from './claims.ts';
import { OpenerProcess } from './opener-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-opener-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const claims: Claims = { kind: 'toPeers', id: 'n1', nodes: [], said: [] };
const image = (dataDir: string) => ({ dataDir, place: 1, atMs: 0 });

/** Answers how many images it has seen and whose; does what the directory is called instead where that is a way to end. */
const script = `
  let id;
  let count = 0;
  process.on('message', (order) => {
    if (order.kind !== 'image') return void (id = order.id);
    count++;
    if (order.dataDir === 'abort') console.error('Assertion\\n  failed'), process.abort();
    if (order.dataDir === 'throw') throw new Error('nobody foresaw it');
    if (order.dataDir === 'hang') return setInterval(() => undefined, 60_000);
    const endsLater = order.dataDir === 'abort later';
    const lost = [endsLater ? String(process.pid) : id];
    process.send({ refused: undefined, lost, holes: [], checked: count }, () => endsLater && process.abort());
  });
  process.on('disconnect', () => process.exit(0));
`;

function opener(limitMs?: number): OpenerProcess {
  const file = join(folder, 'opener.cjs');
  writeFileSync(file, script);
  return new OpenerProcess(file, claims, limitMs);
}

const answer = (checked: number) => ({ refused: undefined, lost: ['n1'], holes: [], checked });

test('images are opened by one process, one after the other', async () => {
  const process = opener();
  expect(await process.open(image('a'))).toEqual(answer(1));
  expect(await process.open(image('b'))).toEqual(answer(2));
  await process.end();
});

test('an image that ends its process is told with what the process said, and the next one has a new process', async () => {
  const process = opener();
  expect(await process.open(image('a'))).toEqual(answer(1));
  expect(await process.open(image('abort'))).toMatchObject({
    endedBy: 'SIGABRT',
    says: expect.stringContaining('Assertion failed'),
  });
  expect(await process.open(image('b'))).toEqual(answer(1));
  expect(await process.open(image('throw'))).toMatchObject({
    endedBy: 'exit code 1',
    says: expect.stringContaining('nobody foresaw it'),
  });
  expect(await process.open(image('c'))).toEqual(answer(1));
  await process.end();
});

test('a process that ends after its answer keeps no other image waiting', async () => {
  const process = opener();
  const last = await process.open(image('abort later'));
  const pid = 'lost' in last ? Number(last.lost[0]) : Number.NaN;
  await vi.waitFor(() => expect(isThere(pid)).toBe(false), 10_000);
  // Whether its end is noticed before the next image or within it: the one after that has a process.
  await process.open(image('b'));
  expect(await process.open(image('c'))).toMatchObject({ lost: ['n1'] });
  await process.end();
  await process.end();
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('an image that never comes to an end is ended', async () => {
  const process = opener(200);
  expect(await process.open(image('hang'))).toEqual({ endedBy: 'SIGKILL', says: '' });
  await process.end();
});
