// `holdfast start | cluster | demo` in processes of their own, used over HTTP by hand, as the README says.
import { existsSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { freeBasePort, type Run, run, runAs, runs, until } from './command.ts';
import { testFolder } from './folders.ts';

const folder = testFolder();
const started: Run[] = [];
afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
});

const minutes = 60_000;

interface Node {
  readonly id: string;
  readonly api: string;
  readonly pid: number;
}

async function startCluster(dataDir: string, basePort: number): Promise<{ cluster: Run; nodes: readonly Node[] }> {
  const cluster = run('cluster', '--json', '--data-dir', dataDir, '--base-port', String(basePort));
  started.push(cluster);
  await until('the cluster is ready', () => {
    if (cluster.child.exitCode !== null) throw new Error(cluster.err());
    return cluster.out().includes('\n');
  });
  return { cluster, nodes: JSON.parse(cluster.out()).nodes };
}

/** The fields that these tests go on with. */
interface Answer {
  readonly messages: readonly { readonly id: string; readonly receipt: string }[];
}

async function request(method: string, url: string, body?: unknown): Promise<Answer> {
  const response = await fetch(url, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const answer: Answer = JSON.parse(await response.text());
  return answer;
}

test(
  'cluster: scheduled on one node, received from another, acknowledged at the third; Ctrl-C stops all; the next start finds the data',
  async () => {
    const basePort = await freeBasePort();
    const dataDir = folder('cluster');
    const { cluster, nodes } = await startCluster(dataDir, basePort);
    const [n1 = '', n2 = '', n3 = ''] = nodes.map(({ api }) => `${api}/v1/topics/reminders`);

    const { messages } = await request('POST', `${n1}/messages`, { body: { to: 'ada' }, delay: '1s' });
    const received = await request('POST', `${n2}/groups/mailer/receive`, {
      wait: '20s',
      create: { start: 'earliest' },
    });
    expect(received.messages).toMatchObject([{ id: messages[0]?.id, body: { to: 'ada' }, attempt: 1 }]);
    const receipts = [received.messages[0]?.receipt];
    expect(await request('POST', `${n3}/groups/mailer/ack`, { receipts })).toMatchObject({
      results: [{ result: 'ok' }],
    });

    const kept = await request('POST', `${n2}/messages`, { body: 'later', delay: '1h' });
    const never = await request('POST', `${n2}/messages`, { body: 'never', delay: '1h' });
    expect(await request('DELETE', `${n3}/messages/${never.messages[0]?.id}`)).toEqual({ kind: 'cancelled' });
    expect(await request('DELETE', `${n1}/messages/${never.messages[0]?.id}`)).toEqual({ kind: 'cancelled' });

    cluster.child.kill('SIGINT');
    expect(await cluster.ended).toBe(0);
    expect(nodes.map(({ pid }) => runs(pid))).toEqual([false, false, false]);
    expect(cluster.err()).toBe('');

    const again = await startCluster(dataDir, basePort);
    const [found = ''] = again.nodes.map(({ api }) => `${api}/v1/topics/reminders/messages/${kept.messages[0]?.id}`);
    expect(await request('GET', found)).toMatchObject({ state: 'waiting', body: 'later' });
    again.cluster.child.kill('SIGTERM');
    expect(await again.cluster.ended).toBe(0);
  },
  2 * minutes,
);

test(
  'cluster: a node that is killed stays dead and is named, the others go on, and none outlives its parent',
  async () => {
    const basePort = await freeBasePort();
    const { cluster, nodes } = await startCluster(folder('orphans'), basePort);
    const [killed, ...others] = nodes;
    process.kill(killed?.pid ?? 0, 'SIGKILL');
    await until('the loss is named', () =>
      cluster.err().includes(`${killed?.id} has ended (SIGKILL). 2 of 3 nodes run.`),
    );
    const messages = `${others[0]?.api}/v1/topics/t/messages`;
    await until('the others go on', async () => {
      const answer = await request('POST', messages, { body: 1, delay: 0 });
      return Array.isArray(answer.messages);
    });
    cluster.child.kill('SIGKILL');
    await until('nobody is left', () => !others.some(({ pid }) => runs(pid)));
  },
  2 * minutes,
);

test(
  'cluster: ports that are taken are a sentence with the reason, and nothing is left running',
  async () => {
    const basePort = await freeBasePort();
    await startCluster(folder('first'), basePort);
    const second = run('cluster', '--data-dir', folder('second'), '--base-port', String(basePort));
    started.push(second);
    expect(await second.ended).toBe(1);
    expect(second.err()).toMatch(/The end of [\s\S]*HF_API_PORT: .*EADDRINUSE/);
  },
  2 * minutes,
);

test('start: a setting that is unknown or impossible stops the start with a sentence that names it', async () => {
  const unknown = run('start', '--lisen', '127.0.0.1:7401');
  expect(await unknown.ended).toBe(1);
  expect(unknown.err()).toContain('There is no setting "--lisen". Did you mean --listen?');
  const impossible = run('start', '--election-min-ms=10', `--data-dir=${folder('never')}`);
  expect(await impossible.ended).toBe(1);
  expect(impossible.err()).toContain('--election-min-ms');
});

test('start: every setting is printed, and a node on its own stops on SIGTERM', async () => {
  const printed = run('start', '--id', 'n7', '--print-config');
  expect(await printed.ended).toBe(0);
  expect(printed.out()).toContain('--id=n7\n');

  const node = run('start', '--listen=127.0.0.1:0', `--data-dir=${folder('alone')}`);
  started.push(node);
  await until('it leads', () => node.out().includes('"raft.leader"'));
  node.child.kill('SIGTERM');
  expect(await node.ended).toBe(0);
  expect(node.out()).toContain('"node.stopped"');
});

test(
  'demo: the leader is killed twice, and everything arrives, once, not early',
  async () => {
    const demo = run('demo', '--json', '--messages', '300', '--seconds', '6');
    started.push(demo);
    expect(await demo.ended, demo.err()).toBe(0);
    const figures = JSON.parse(demo.out());
    expect(figures).toMatchObject({ scheduled: 300, delivered: 300, lost: 0, early: 0, repeated: 0, good: true });
    expect(figures.kills).toHaveLength(2);
    for (const { killed, successor } of figures.kills) expect(successor).not.toBe(killed);
  },
  3 * minutes,
);

test('verify: what is not there, and what no node has made, is said to be that', async () => {
  const nothing = run('verify', `${folder('none')}/backup`);
  expect(await nothing.ended).toBe(1);
  expect(nothing.err()).toContain('There is nothing to verify');
  const foreign = run('verify', process.cwd());
  expect(await foreign.ended).toBe(1);
  expect(foreign.err()).toContain('is neither a backup nor the data directory of a node');
});

test('a command that does not exist, and an impossible option, are refused', async () => {
  const unknown = run('strat');
  expect(await unknown.ended).toBe(1);
  expect(unknown.err()).toContain("unknown command 'strat'");
  const mistyped = run('cluster', 'ad', '127.0.0.1:7401');
  expect(await mistyped.ended).toBe(1);
  expect(mistyped.err()).toContain("unknown command 'cluster ad'");
  const nobody = run('cluster', 'remove', '', '--to', '127.0.0.1:7401');
  expect(await nobody.ended).toBe(1);
  expect(nobody.err()).toContain('It must be the name of a member.');
  const impossible = run('demo', '--seconds', '-5');
  expect(await impossible.ended).toBe(1);
  expect(impossible.err()).toContain('whole number');
  const elsewhere = run('cluster', 'remove', 'n1', '--to', '127.0.0.1:99999');
  expect(await elsewhere.ended).toBe(1);
  expect(elsewhere.err()).toContain('"127.0.0.1:99999" is no address of an API: say host:port');
});

test.skipIf(!existsSync('/dev/full'))(
  'start: a disk of the log that is full costs lines of the log, and not the node',
  async () => {
    const port = await freeBasePort();
    const api = `127.0.0.1:${port}`;
    const toFullDisk = ['sh', '-c', 'exec "$0" "$@" > /dev/full'];
    const node = runAs(toFullDisk, 'start', '--data-dir', folder('full-log'), '--listen', api);
    started.push(node);
    await until('it serves', async () => {
      if (node.child.exitCode !== null) throw new Error(node.err());
      return (await fetch(`http://${api}/readyz`).catch(() => undefined))?.ok === true;
    });
    node.child.kill('SIGTERM');
    expect([await node.ended, node.err()]).toEqual([0, '']);
  },
  minutes,
);
