// Whole stores on real directories and loopback, through the surface that a user has.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Holdfast, StartError } from '../src/index.ts';
import { until } from './command.ts';
import { testFolder } from './folders.ts';
import { addresses, startMember } from './members.ts';

const folder = testFolder();

test('what was scheduled in an embedded store is there when it is opened again', async () => {
  const dataDir = folder('again');
  let id = '';
  {
    await using store = await Holdfast.open({ dataDir });
    ({ id } = await store.topic('t').schedule({ to: 'ada' }, { delay: 0 }));
  }
  await using store = await Holdfast.open({ dataDir });
  const group = store.topic('t').group('g');
  const messages = await group.receive({ wait: '10s' });
  expect(messages).toMatchObject([{ id, payload: { to: 'ada' }, attempt: 1 }]);
  expect(await group.ack(messages)).toMatchObject([{ result: 'ok' }]);
  expect(await store.topic('t').get(id)).toMatchObject({ state: 'delivered' });
});

test('a second store on the same directory is refused with a code, and the first goes on', async () => {
  const dataDir = folder('locked');
  await using store = await Holdfast.open({ dataDir });
  await expect(Holdfast.open({ dataDir })).rejects.toBeInstanceOf(StartError);
  await expect(Holdfast.open({ dataDir })).rejects.toMatchObject({ code: 'HF_DIRECTORY_LOCKED' });
  await store.topic('t').schedule(1, { delay: 0 });
});

test('a giveUpAfter with which a write could be done twice is refused, and nothing stays open', async () => {
  const dataDir = folder('patient');
  await expect(Holdfast.open({ dataDir, giveUpAfter: '10m' })).rejects.toBeInstanceOf(RangeError);
  await expect(Holdfast.join({ dataDir, listen: '127.0.0.1:0', giveUpAfter: '10m' })).rejects.toThrow(RangeError);
  expect(() => Holdfast.connect({ nodes: ['http://127.0.0.1:1'], giveUpAfter: '10m' })).toThrow('done twice');
  await (await Holdfast.open({ dataDir, giveUpAfter: '9m' })).close();
});

test('a damaged directory is refused with a code', async () => {
  const dataDir = folder('damaged');
  await (await Holdfast.open({ dataDir })).close();
  rmSync(join(dataDir, 'db', 'CURRENT'));
  await expect(Holdfast.open({ dataDir })).rejects.toMatchObject({ code: 'HF_DIRECTORY_DAMAGED' });
  writeFileSync(join(dataDir, 'holdfast.json'), 'x');
  await expect(Holdfast.open({ dataDir })).rejects.toMatchObject({ code: 'HF_DIRECTORY_DAMAGED' });
});

test('raw bytes stay raw bytes, through an embedded node and over HTTP', async () => {
  const bytes = new Uint8Array([0, 1, 254, 255]);
  await using member = await Holdfast.join({ dataDir: folder('bytes'), listen: '127.0.0.1:0' });
  await using client = Holdfast.connect({ nodes: [member.api] });
  for (const store of [member, client]) {
    await store.topic('raw').schedule(bytes, { delay: 0 }, { headers: { kind: 'image' } });
    const [message] = await store.topic('raw').group('g').receive({ wait: '10s' });
    expect(message?.headers).toEqual({ kind: 'image' });
    expect(Buffer.from(Object(message?.payload))).toEqual(Buffer.from(bytes));
    await store
      .topic('raw')
      .group('g')
      .ack(message?.receipt ?? '');
  }
});

test('a program that writes into a payload, which the node has not written yet, changes nothing that the node has', async () => {
  const dataDir = folder('own bytes');
  const bytes = new Uint8Array(100).fill(7);
  let ids: readonly string[];
  {
    await using member = await Holdfast.join({ dataDir, listen: '127.0.0.1:0', peerListen: '127.0.0.1:0' });
    const topic = member.topic<Uint8Array>('t');
    // From this version on effects are written some ms behind their entries.
    await until('version 2 is in force', () => member.status().activeVersion === 2);
    const scheduled = [await topic.schedule(bytes, { delay: '1h' }), await topic.schedule(bytes, { delay: '1h' })];
    ids = scheduled.map(({ id }) => id);
    bytes.fill(0);
    for (const id of ids) Object((await topic.get(id)).payload).fill(0);
    for await (const { payload } of topic.list()) Object(payload).fill(0);
  }
  await using store = await Holdfast.open({ dataDir });
  for (const id of ids) expect((await store.topic('t').get(id)).payload).toEqual(new Uint8Array(100).fill(7));
});

test('what a user did wrong is thrown at once, and names the field', async () => {
  await using store = await Holdfast.open({ dataDir: folder('wrong') });
  await expect(store.topic('no name!').schedule(1, { delay: 0 })).rejects.toMatchObject({ code: 'HF_INVALID_REQUEST' });
  await expect(store.topic('t').schedule(1, { at: new Date(Number.NaN) })).rejects.toMatchObject({
    code: 'HF_INVALID_REQUEST',
  });
  await expect(store.topic('t').schedule('x'.repeat(2_000_000), { delay: 0 })).rejects.toMatchObject({
    code: 'HF_BODY_TOO_LARGE',
  });
  await expect(store.topic('nowhere').counts()).rejects.toMatchObject({ code: 'HF_TOPIC_NOT_FOUND' });
  expect(store.counters().repeats).toBe(0);
});

test('a client goes on when the leader stops: everything arrives, once', async () => {
  const ids = ['n1', 'n2', 'n3'];
  const peers = await addresses(ids);
  const members = new Map(
    await Promise.all(ids.map(async (id) => [id, await startMember(id, peers, folder(`cluster-${id}`))] as const)),
  );
  await using store = Holdfast.connect({ nodes: [...members.values()].map(({ api }) => api) });
  const topic = store.topic<number>('t');
  const seen: number[] = [];
  const worker = topic.group('g').worker(({ payload }) => void seen.push(payload));
  await topic.schedule(-1, { delay: 0 });

  const { leader = '' } = await store.cluster();
  const stopping = members.get(leader)?.close();
  await Promise.all(Array.from({ length: 50 }, (_, number) => topic.schedule(number, { delay: `${number * 10}ms` })));
  await stopping;
  for (const endsAtMs = performance.now() + 20_000; seen.length < 51 && performance.now() < endsAtMs; )
    await new Promise((resolve) => setTimeout(resolve, 20));
  await worker.stop();
  expect(seen.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 51 }, (_, at) => at - 1));
  expect((await store.cluster()).leader).not.toBe(leader);
  await Promise.all([...members.values()].map((member) => member.close()));
});

/** Makes the last block that holds `text`, and behind it what can be packed well, one that can not be unpacked. @returns how many tables held it */
function breakBlock(dataDir: string, text: string): number {
  const tables = readdirSync(join(dataDir, 'db')).filter((name) => name.endsWith('.ldb'));
  return tables.filter((name) => {
    const file = join(dataDir, 'db', name);
    const bytes = readFileSync(file);
    const at = bytes.lastIndexOf(text);
    if (at !== -1) writeFileSync(file, bytes.fill(0xff, at, at + 200));
    return at !== -1;
  }).length;
}

// LevelDB tells of it when the block is read: long after the start, which reads no message that is due in an hour.
test.each([
  ['a store', (dataDir: string) => Holdfast.open({ dataDir })],
  ['a member', (dataDir: string) => Holdfast.join({ dataDir, listen: '127.0.0.1:0', peerListen: '127.0.0.1:0' })],
])('%s that meets a broken block ends every call with the code of a damaged directory', async (name, open) => {
  const dataDir = folder(`broken ${name}`);
  const needle = 'needle in a haystack';
  let id = '';
  {
    await using store = await open(dataDir);
    // A block is full at 4 KiB, so this message ends the one in which the head of the state is, and the next has its own.
    await store.topic('t').schedule('.'.repeat(20_000), { delay: '30m' });
    ({ id } = await store.topic('t').schedule(`${needle}${'.'.repeat(20_000)}`, { delay: '1h' }));
  }
  // What the first life wrote into a log is put into a table by the second.
  await (await open(dataDir)).close();
  expect(breakBlock(dataDir, needle)).toBe(1);
  await using store = await open(dataDir);
  await expect(store.topic('t').get(id)).rejects.toMatchObject({ code: 'HF_DIRECTORY_DAMAGED' });
  await expect(store.topic('t').schedule(1, { delay: 0 })).rejects.toMatchObject({ code: 'HF_DIRECTORY_DAMAGED' });
});
