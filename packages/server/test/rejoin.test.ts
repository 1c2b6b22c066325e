// Members that have themselves replaced: three whole nodes on loopback, of which one loses its directory or has it damaged.
// And what must not come of it: a vote of a directory that has forgotten one, a cluster of those who lost everything.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type MemberStatus, type Node, type NodeConfig, parseConfig, startNode } from '../src/index.ts';

const ids = ['n1', 'n2', 'n3'];
let folder = '';
let configs: Map<string, NodeConfig>;
const running = new Map<string, Node>();
const logged = new Map<string, Readonly<Record<string, unknown>>[]>();
const fatal = new Map<string, string[]>();

/** Below those that the system gives to outgoing connections: it must still be free when a node is started again. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 15_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endsAtMs = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > endsAtMs) throw new Error(`not within a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const configOf = (id: string): NodeConfig => {
  const config = configs.get(id);
  if (config === undefined) throw new Error(`${id} has no settings`);
  return config;
};

async function start(id: string, config = configOf(id), name = id): Promise<void> {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const keep = (fields: Readonly<Record<string, unknown>>) => void lines.push(fields);
  logged.set(name, lines);
  fatal.set(name, []);
  const onFatal = (error: Error) => void fatal.get(name)?.push('code' in error ? String(error.code) : error.message);
  running.set(name, await startNode(config, { log: { info: keep, warn: keep, error: keep }, onFatal }));
}

async function stop(name: string): Promise<void> {
  await running.get(name)?.stop();
  running.delete(name);
}

const statusOf = (id: string): MemberStatus => {
  const node = running.get(id);
  if (node === undefined) throw new Error(`${id} does not run`);
  return node.status();
};
const eventsOf = (name: string): string[] =>
  (logged.get(name) ?? []).map(({ event }) => String(event)).filter((event) => event.startsWith('rejoin.'));
const wipe = (id: string): void => rmSync(configOf(id).dataDir, { recursive: true });
const asideIn = (id: string): string[] =>
  readdirSync(configOf(id).dataDir).filter((name) => name.startsWith('damaged-'));

/** Who has a vote with which directory, as a member that serves knows it; empty while none does. */
function votersNow(): ReadonlyMap<string, string> {
  const leader = [...running.values()].find((node) => node.status().serving);
  if (leader === undefined) return new Map();
  const { configuration, configurationIndex, commit, members } = leader.status().raft;
  if (commit < configurationIndex) return new Map();
  return new Map(configuration.voters.map(({ id }) => [id, members.get(id)?.incarnation ?? '']));
}

const serves = (): boolean =>
  [...running.values()].some((node) => node.status().serving && node.status().activeVersion === 2);
const isBack = (id: string): boolean => votersNow().get(id) === statusOf(id).raft.incarnation;

async function schedule(at: string, body: string): Promise<void> {
  const request = { params: { topic: 'reminders' }, query: {}, body: { body, delay: '1h' }, idempotencyKey: undefined };
  const options = { signal: new AbortController().signal, forwarded: false };
  await running.get(at)?.service.call('schedule', request, options);
}

/** Founded with --rejoin on all of them. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-rejoin-'));
  const peers = await Promise.all(
    ids.map(async (id) => ({ id, peer: `127.0.0.1:${await freePort()}`, api: `127.0.0.1:${await freePort()}` })),
  );
  configs = new Map(
    peers.map(({ id, peer, api }) => [
      id,
      parseConfig({ id, dataDir: join(folder, id), listen: api, peerListen: peer, peers, rejoin: true }),
    ]),
  );
  await Promise.all(ids.map((id) => start(id)));
  await until('they serve', serves);
  await schedule('n1', 'kept');
});

afterEach(async () => {
  await Promise.all([...running.values()].map((node) => node.stop()));
  running.clear();
  rmSync(folder, { recursive: true, force: true });
});

test('founded with it, nobody asks to be replaced; started again, nobody does either', async () => {
  await stop('n3');
  await start('n3');
  await until('n3 has caught up', () => statusOf('n3').stateHash === statusOf('n1').stateHash && serves());
  for (const id of ids) expect([eventsOf(id), fatal.get(id), asideIn(id)]).toEqual([[], [], []]);
});

test('a wiped member comes back as another one, once the one that is gone was removed, and finds itself at the next start', async () => {
  const before = statusOf('n3').raft.incarnation;
  await stop('n3');
  wipe('n3');
  await start('n3');
  await until('n3 has a vote again', () => isBack('n3'));
  expect(statusOf('n3').raft.incarnation).not.toBe(before);
  expect([...votersNow().keys()].toSorted()).toEqual(ids);
  expect(eventsOf('n3').filter((event) => event !== 'rejoin.waits')).toEqual([
    'rejoin.lost',
    'rejoin.aside',
    'rejoin.removes',
    'rejoin.done',
  ]);
  await schedule('n3', 'after');
  await until('n3 has everything', () => statusOf('n3').stateHash === statusOf('n1').stateHash);
  const { incarnation } = statusOf('n3').raft;
  await stop('n3');
  await start('n3');
  await until('n3 is there', () => statusOf('n3').stateHash === statusOf('n1').stateHash && serves());
  expect([statusOf('n3').raft.incarnation, eventsOf('n3'), fatal.get('n3')]).toEqual([incarnation, [], []]);
}, 120_000);

test.each([
  ['its database is gone', (dataDir: string) => rmSync(join(dataDir, 'db'), { recursive: true })],
  ['its database does not open', (dataDir: string) => truncateSync(join(dataDir, 'db', 'CURRENT'))],
])(
  'a damaged member comes back, and what was damaged is kept: %s',
  async (_what, damage) => {
    await stop('n2');
    damage(configOf('n2').dataDir);
    const left = readdirSync(configOf('n2').dataDir).toSorted();
    await start('n2');
    await until('n2 has a vote again', () => isBack('n2'));
    expect(asideIn('n2').map((name) => readdirSync(join(configOf('n2').dataDir, name)).toSorted())).toEqual([left]);
    await until('n2 has everything', () => statusOf('n2').stateHash === statusOf('n1').stateHash);
  },
  120_000,
);

test('two wiped of three form nothing and remove nobody; with one of them back the other is replaced', async () => {
  await stop('n2');
  cpSync(configOf('n2').dataDir, join(folder, 'saved'), { recursive: true });
  await stop('n3');
  for (const id of ['n2', 'n3']) wipe(id);
  const { clusterId } = statusOf('n1');
  await Promise.all(['n2', 'n3'].map((id) => start(id)));
  // Several elections long: they wait for 1, 2 and 4 s between, or half of it.
  const asked = (id: string): number => eventsOf(id).filter((event) => event === 'rejoin.waits').length;
  await until('both have asked', () => ['n2', 'n3'].every((id) => asked(id) >= 4));
  for (const id of ['n2', 'n3']) {
    expect(eventsOf(id)).not.toContain('rejoin.removes');
    expect(statusOf(id)).toMatchObject({ clusterId: undefined, serving: false, raft: { commit: 0, lastIndex: 0 } });
    expect(asideIn(id)).toEqual([]);
  }
  const { raft, serving } = statusOf('n1');
  expect([serving, raft.configuration.voters.length, statusOf('n1').clusterId]).toEqual([false, 3, clusterId]);

  await stop('n2');
  wipe('n2');
  cpSync(join(folder, 'saved'), configOf('n2').dataDir, { recursive: true });
  await start('n2');
  await until('n3 has a vote again', () => isBack('n3'));
  expect(statusOf('n3').clusterId).toBe(clusterId);
  await until('n3 has everything', () => statusOf('n3').stateHash === statusOf('n1').stateHash);
}, 120_000);

test('a second process under the name of a member that runs is never put in its place', async () => {
  const { incarnation } = statusOf('n3').raft;
  const [port, peerPort] = [await freePort(), await freePort()];
  const stray: NodeConfig = {
    ...configOf('n3'),
    dataDir: join(folder, 'stray'),
    listen: { host: '127.0.0.1', port },
    peerListen: { host: '127.0.0.1', port: peerPort },
  };
  await start('n3', stray, 'stray');
  const whys = () => (logged.get('stray') ?? []).filter(({ event }) => event === 'rejoin.waits').map(({ why }) => why);
  await until('it has asked', () => whys().length > 2);
  expect(new Set(whys())).toEqual(new Set(['a process runs as n3, or did a moment ago']));
  expect([votersNow().get('n3'), asideIn('n3'), fatal.get('n3')]).toEqual([incarnation, [], []]);
  await stop('stray');
  await schedule('n3', 'goes on');
}, 120_000);

test('an older copy of the directory is told so by the leader, moved aside and replaced', async () => {
  const id = ids.find((other) => !statusOf(other).serving) ?? '';
  await stop(id);
  cpSync(configOf(id).dataDir, join(folder, 'older'), { recursive: true });
  await start(id);
  await until('it follows', () => serves());
  for (let at = 0; at < 5; at += 1) await schedule('n1', `later ${at}`);
  await until('it has everything', () => ids.every((other) => statusOf(other).stateHash === statusOf('n1').stateHash));
  await stop(id);
  wipe(id);
  cpSync(join(folder, 'older'), configOf(id).dataDir, { recursive: true });
  await start(id);
  await until('it has a vote again', () => asideIn(id).length === 1 && isBack(id));
  expect(logged.get(id)).toContainEqual(expect.objectContaining({ event: 'rejoin.lost', code: 'HF_LOG_CUT' }));
}, 120_000);

test.each([
  ['one that had begun to replace itself goes on where it was', true],
  ['one that was started with --join waits for an operator', false],
])(
  'a process that ended before the cluster knew its new directory, and no member has its name: %s',
  async (_what, hadBegun) => {
    await stop('n3');
    const aside = join(configOf('n3').dataDir, 'damaged-before');
    wipe('n3');
    if (hadBegun) mkdirSync(aside, { recursive: true });
    await start('n3', { ...configOf('n3'), join: true, rejoin: false });
    const { incarnation } = statusOf('n3').raft;
    await stop('n3');
    const request = { params: { id: 'n3' }, query: {}, body: undefined, idempotencyKey: undefined };
    const options = { signal: new AbortController().signal, forwarded: false };
    await running.get('n1')?.service.call('removeMember', request, options);
    expect([...votersNow().keys()].toSorted()).toEqual(['n1', 'n2']);
    await start('n3');
    const waits = () => (logged.get('n3') ?? []).filter(({ event }) => event === 'rejoin.waits').map(({ why }) => why);
    await until('n3 has a vote again, or waits for an operator', () =>
      hadBegun ? isBack('n3') : waits().some((why) => String(why).includes('an operator must take it in')),
    );
    expect(votersNow().get('n3')).toBe(hadBegun ? incarnation : undefined);
    expect(asideIn('n3')).toEqual(hadBegun ? ['damaged-before'] : []);
  },
  120_000,
);

test('a node that is stopped while it waits to be replaced stops', async () => {
  for (const id of ['n1', 'n2']) await stop(id);
  await stop('n3');
  rmSync(join(configOf('n3').dataDir, 'db'), { recursive: true });
  const stopping = new AbortController();
  const lines: string[] = [];
  const keep = ({ event }: { readonly event: string }) => void lines.push(event);
  const log = { info: keep, warn: keep, error: keep };
  const starting = startNode(configOf('n3'), { log, signal: stopping.signal });
  const refused = expect(starting).rejects.toMatchObject({ code: 'HF_DIRECTORY_DAMAGED' });
  await until('it waits', () => lines.includes('rejoin.waits'));
  stopping.abort();
  await refused;
  expect(asideIn('n3')).toEqual([]);
}, 120_000);

test('without the setting a wiped member stops, and nothing is changed', async () => {
  const before = votersNow();
  await stop('n3');
  wipe('n3');
  await start('n3', { ...configOf('n3'), rejoin: false });
  await until('it stops', () => fatal.get('n3')?.length === 1);
  expect(fatal.get('n3')).toEqual(['HF_WIPED_MEMBER']);
  await until('the others serve', serves);
  expect(votersNow()).toEqual(before);
}, 120_000);

test('a directory that was moved aside three times is not moved again', async () => {
  await stop('n2');
  for (const at of [1, 2, 3])
    cpSync(configOf('n1').dataDir, join(configOf('n2').dataDir, `damaged-${at}`), { recursive: true });
  truncateSync(join(configOf('n2').dataDir, 'db', 'CURRENT'));
  await expect(start('n2')).rejects.toMatchObject({ code: 'HF_DIRECTORY_DAMAGED' });
  expect(eventsOf('n2')).toEqual(['rejoin.lost', 'rejoin.gaveUp']);
  expect(asideIn('n2')).toHaveLength(3);
}, 120_000);
