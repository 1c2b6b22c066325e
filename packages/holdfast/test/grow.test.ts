// The life of a cluster that begins as one node: it grows to three processes, the first is killed for good and replaced by a
// fourth, and everything that was scheduled before all that is delivered once.
import { afterEach, expect, test } from 'vitest';
import { freePorts } from '../src/cli/free-ports.ts';
import { Holdfast } from '../src/index.ts';
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

interface Node {
  readonly api: string;
  readonly process: Run;
}

async function start(id: string, ...settings: readonly string[]): Promise<Node> {
  const [api, peer] = await freePorts(2);
  const at = [`--listen=127.0.0.1:${api}`, `--peer-listen=127.0.0.1:${peer}`];
  const process = run('start', `--id=${id}`, `--data-dir=${folder(id)}`, ...at, ...settings);
  started.push(process);
  const node = { api: `http://127.0.0.1:${api}`, process };
  await until(`${id} answers`, async () => {
    if (process.child.exitCode !== null) throw new Error(process.err() + process.out());
    return await fetch(`${node.api}/v1/cluster`).then(
      ({ ok }) => ok,
      () => false,
    );
  });
  return node;
}

async function operate(...args: readonly string[]): Promise<string> {
  const { ended, out, err } = run('cluster', ...args);
  expect(await ended, err()).toBe(0);
  return out();
}

test('one node grows to three, its first is killed for good and replaced, and everything comes once', async () => {
  const count = 300;
  const first = await start('n1');
  const schedule = Holdfast.connect({ nodes: [first.api] });
  const reminders = schedule.topic('reminders');
  const dueAtMs = Date.now() + 15_000;
  await Promise.all(
    Array.from({ length: count }, (_, at) => reminders.schedule(`note ${at}`, { at: new Date(dueAtMs) })),
  );
  await schedule.close();

  const second = await start('n2', '--join');
  expect(await operate('add', second.api, '--to', first.api)).toContain('n2 is a member.');
  const third = await start('n3', '--join');
  expect(await operate('add', third.api, '--to', second.api)).toContain('n3 is a member.');
  // What is done already is not done twice.
  expect(await operate('add', third.api, '--to', first.api)).toBe('n3 is a member.\n');

  first.process.child.kill('SIGKILL');
  await first.process.ended;
  const fourth = await start('n4', '--join');
  // The half that an interrupted replacement has done; repeated, it does the rest, and then nothing.
  await operate('add', fourth.api, '--to', third.api);
  const replaced = () => operate('replace', 'n1', fourth.api, '--to', third.api);
  expect(await replaced()).toContain('n1 is a member no more.');
  expect(await replaced()).toBe('n4 is a member.\nn1 is no member.\n');
  expect(await operate('transfer', '--to-node', 'n4', '--to', second.api)).toContain('n4 leads.');

  const store = Holdfast.connect({ nodes: [second.api, third.api, fourth.api] });
  const mailer = store.topic('reminders').group('mailer');
  const received: string[] = [];
  await until('all have come', async () => {
    const deliveries = await mailer.receive({ max: 100, wait: '1s' });
    for (const delivery of deliveries) received.push(String(delivery.payload));
    if (deliveries.length > 0) await mailer.ack(deliveries.map(({ receipt }) => receipt));
    return received.length >= count;
  });
  expect(await mailer.receive({ wait: '1s' })).toEqual([]);
  expect(received.toSorted()).toEqual(Array.from({ length: count }, (_, at) => `note ${at}`).toSorted());
  await store.close();
}, 120_000);
