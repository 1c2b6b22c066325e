// The commands of a backup on real processes: taken under load, verified, restored elsewhere, used there. And a restore that
// is killed at any moment.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { freePorts } from '../src/cli/free-ports.ts';
import { Holdfast, type HoldfastStore } from '../src/index.ts';
import { type Run, run, until } from './command.ts';
import { testFolder } from './folders.ts';

const folder = testFolder();
const started: Run[] = [];
afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
});

/** @returns where its API answers, once it serves or waits */
async function start(dataDir: string, ...settings: readonly string[]): Promise<string> {
  const [api, peer] = await freePorts(2);
  const at = [`--listen=127.0.0.1:${api}`, `--peer-listen=127.0.0.1:${peer}`];
  const node = run('start', `--data-dir=${folder(dataDir)}`, ...at, ...settings);
  started.push(node);
  const url = `http://127.0.0.1:${api}`;
  await until(`${dataDir} answers`, async () => {
    if (node.child.exitCode !== null) throw new Error(node.err() + node.out());
    const page = await fetch(`${url}/metrics`).then(
      (response) => response.text(),
      () => '',
    );
    return settings.includes('--join') ? page !== '' : /^holdfast_active_version 2$/m.test(page);
  });
  return url;
}

async function stop(): Promise<void> {
  for (const { child, ended } of started.splice(0)) {
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  }
}

async function command(code: number, ...args: readonly string[]): Promise<string> {
  const { ended, out, err } = run(...args);
  expect(await ended, out() + err()).toBe(code);
  return out() + err();
}

/** Schedules until it is told to stop. */
function load(store: HoldfastStore) {
  const acknowledged: string[] = [];
  const seen = { isOver: false };
  const lines = Array.from({ length: 4 }, async (_, line) => {
    for (let at = 0; !seen.isOver; at += 1) {
      const note = `line ${line}, ${at} ${'x'.repeat(2_000)}`;
      await store.topic('reminders').schedule(note, { delay: 0 });
      acknowledged.push(note);
    }
  });
  const end = async (): Promise<void> => {
    seen.isOver = true;
    await Promise.all(lines);
  };
  return { acknowledged, end };
}

test('a backup under load: all that was acknowledged before it comes once from where it is restored', async () => {
  const api = await start('first');
  const store = Holdfast.connect({ nodes: [api] });
  const mailer = store.topic('reminders').group('mailer');
  await mailer.receive({ max: 1 });
  const writing = load(store);
  await until('there is something', () => writing.acknowledged.length > 300);
  const [acked, leased] = await mailer.receive({ max: 2, lease: '3s', wait: '10s' });
  if (acked === undefined || leased === undefined) throw new Error('nothing is due');
  await mailer.ack([acked.receipt]);
  const before = writing.acknowledged.slice();
  const file = folder('one.backup');
  expect(await command(0, 'backup', file, '--to', api)).toContain('state   at index');
  const during = writing.acknowledged.length - before.length;
  expect(during).toBeGreaterThan(0);
  await writing.end();
  await store.close();
  expect(await command(0, 'verify', file)).toContain('Nothing is wrong.');
  expect(await command(1, 'verify', folder('first'))).toContain('HF_DIRECTORY_LOCKED');
  await stop();
  expect(await command(0, 'verify', folder('first'))).toContain('Nothing is wrong.');

  expect(await command(0, 'restore', file, '--data-dir', folder('second'))).toContain('restored to');
  expect(await command(1, 'restore', file, '--data-dir', folder('first'))).toContain('HF_DIRECTORY_NOT_EMPTY');
  const elsewhere = await start('second');
  // It grows like any other, by a copy of all that was restored.
  const third = await start('third', '--join', '--id=n2');
  expect(await command(0, 'cluster', 'add', third, '--to', elsewhere)).toContain('n2 is a member.');

  const restored = Holdfast.connect({ nodes: [elsewhere, third] });
  const again = restored.topic('reminders').group('mailer');
  expect(await restored.topic('reminders').cancel(leased.id)).toMatchObject({ kind: 'notFound' });
  expect(await restored.topic('reminders').cancel(acked.id)).toMatchObject({ kind: 'notFound' });
  expect(Object.values(await again.ack([leased.receipt])).flat()).not.toContain('ok');
  const expected = new Set(before.filter((note) => note !== acked.payload));
  const came: string[] = [];
  await until('all have come', async () => {
    const deliveries = await again.receive({ max: 200, wait: '500ms' });
    for (const { payload } of deliveries) came.push(String(payload));
    if (deliveries.length > 0) await again.ack(deliveries.map(({ receipt }) => receipt));
    for (const { payload } of deliveries) expected.delete(String(payload));
    return expected.size === 0 && deliveries.length === 0;
  });
  expect(new Set(came).size).toBe(came.length);
  expect(came).not.toContain(acked.payload);
  expect(came).toContain(leased.payload);
  await restored.close();
  await stop();
  for (const name of ['second', 'third'])
    expect(await command(0, 'verify', folder(name))).toContain('Nothing is wrong.');
}, 180_000);

test('a backup of a node that goes away in the middle leaves no file', async () => {
  const api = await start('dying');
  const store = Holdfast.connect({ nodes: [api] });
  const body = 'x'.repeat(900_000);
  for (let at = 0; at < 80; at += 1) await store.topic('reminders').schedule(body, { delay: '1h' });
  await store.close();
  const file = folder('half.backup');
  const taken = run('backup', file, '--to', api);
  // More than fits into the buffers on the way. What it writes to has a name of its own: that is seen, and nothing by the name that was asked for.
  const parts = () => readdirSync(folder('.')).filter((name) => name.startsWith('half.backup'));
  await until('it is being written', () => parts().some((name) => statSync(folder(name)).size > 1_000_000));
  for (const { child } of started) child.kill('SIGKILL');
  expect(await taken.ended).toBe(1);
  expect(taken.err()).toMatch(/broke off|HF_BACKUP_CUT/);
  expect(parts()).toEqual([]);
}, 120_000);

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1_000));

test(`a restore that is killed leaves a directory that is whole, or refuses to start and can be restored; SEED=${seed}`, async () => {
  const api = await start('large');
  const store = Holdfast.connect({ nodes: [api] });
  const body = 'x'.repeat(500_000);
  for (let at = 0; at < 30; at += 1) await store.topic('reminders').schedule(body, { delay: '1h' });
  await store.close();
  const file = folder('large.backup');
  await command(0, 'backup', file, '--to', api);
  await stop();
  const marker = (name: string): string => {
    const path = `${folder(name)}/holdfast.json`;
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  for (let round = 0; round < 2; round += 1) {
    const name = `killed-${round}`;
    const restoring = run('restore', file, '--data-dir', folder(name));
    await until('it has begun', () => marker(name) !== '' || restoring.child.exitCode !== null);
    await sleep((seed * (round + 1) * 37) % 400);
    restoring.child.kill('SIGKILL');
    await restoring.ended;
    if (marker(name).includes('"made"')) {
      expect(await command(0, 'verify', folder(name))).toContain('Nothing is wrong.');
      continue;
    }
    const refused = run('start', '--data-dir', folder(name), '--listen=127.0.0.1:0');
    expect(await refused.ended).toBe(1);
    expect(refused.err() + refused.out()).toContain('HF_DIRECTORY_RESTORING');
    await command(0, 'restore', file, '--data-dir', folder(name));
    expect(await command(0, 'verify', folder(name))).toContain('Nothing is wrong.');
  }
}, 180_000);
