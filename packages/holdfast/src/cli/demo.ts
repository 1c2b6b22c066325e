// `holdfast demo`: the story in half a minute. Messages are due all the time while the leader is killed with -9, comes back,
// and the next leader is killed; then everything is counted. Each figure is measured, and a wrong one is an exit code.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bounds } from '@holdfast/api';
import { connect, type HoldfastStore } from '@holdfast/client';
import { CommandError } from './command-error.ts';
import { type Kill, Tally } from './demo-tally.ts';
import { freePorts } from './free-ports.ts';
import { LocalCluster } from './local-cluster.ts';
import { createOutput, figure, type Output } from './print.ts';
import { askedToStop } from './start.ts';

export interface DemoOptions {
  readonly messages: number;
  readonly seconds: number;
  readonly json: boolean;
}

const portCount = 6;
/** All are scheduled before the first is due. */
const leadMs = 2_000;
/** After the last one was due: longer than any lease that a killed leader could have left behind. */
const patienceMs = 40_000;
const concurrency = 256;

/** @returns whether everything arrived, once, and not early */
export async function demo(options: DemoOptions): Promise<boolean> {
  const output = createOutput(options.json);
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-demo-'));
  const lost = (id: string, how: string): void => output.say(`${id} has ended by itself (${how})`);
  const cluster = new LocalCluster({ folder, ports: await freePorts(portCount), verbose: false, onLost: lost });
  const asked = askedToStop();
  const interrupted = asked.stopping.then(() => Promise.reject(new CommandError('The demo was interrupted.')));
  try {
    cluster.startAll();
    return await Promise.race([tell(cluster, options, output), interrupted]);
  } finally {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tell(cluster: LocalCluster, options: DemoOptions, output: Output): Promise<boolean> {
  await Promise.all(cluster.nodes.map(({ id }) => cluster.ready(id)));
  const store = connect({ nodes: cluster.nodes.map(({ api }) => api) });
  try {
    const { tally, kills } = await run(cluster, store, options, output);
    return report(tally, kills, output);
  } finally {
    await store.close();
  }
}

async function run(cluster: LocalCluster, store: HoldfastStore, { messages, seconds }: DemoOptions, output: Output) {
  const tally = new Tally();
  const topic = store.topic<number>('demo');
  const firstMs = Date.now() + leadMs;
  const lastMs = firstMs + seconds * 1_000;
  const since = (): string => `${((Date.now() - firstMs) / 1_000).toFixed(1).padStart(5)} s`;
  const worker = topic
    .group('counter')
    .worker(({ id, latenessMs, deliverAt }) => tally.delivered(id, deliverAt.getTime() + latenessMs, latenessMs), {
      concurrency,
      onError: (error, place) => output.say(`${since()}  ${place}: ${String(error)}`),
    });
  await scheduleAll(topic, messages, firstMs, lastMs, tally);
  output.say(
    `${figure(messages)} messages are scheduled, due from now on over ${figure(seconds)} s. Three nodes hold them.`,
  );

  await until(firstMs + (lastMs - firstMs) / 3);
  const first = await killLeader(cluster, output, since);
  cluster.start(first.killed);
  await cluster.caughtUp(first.killed);
  output.say(`${since()}  ${first.killed} is back, and has caught up`);
  await until(firstMs + ((lastMs - firstMs) * 2) / 3);
  const second = await killLeader(cluster, output, since);

  await until(lastMs);
  for (const endsAtMs = Date.now() + patienceMs; tally.missing > 0 && Date.now() < endsAtMs; )
    await until(Date.now() + 20);
  await worker.stop();
  return { tally, kills: [first, second] };
}

async function scheduleAll(
  topic: ReturnType<HoldfastStore['topic']>,
  messages: number,
  firstMs: number,
  lastMs: number,
  tally: Tally,
): Promise<void> {
  const all = Array.from({ length: messages }, (_, number) => ({
    payload: number,
    when: { at: Math.round(firstMs + ((lastMs - firstMs) * number) / messages) },
  }));
  for (let at = 0; at < all.length; at += bounds.messagesPerBatch) {
    const kept = await topic.scheduleBatch(all.slice(at, at + bounds.messagesPerBatch));
    for (const { id, deliverAtMs } of kept.messages) tally.scheduled(id, deliverAtMs);
  }
}

async function killLeader(cluster: LocalCluster, output: Output, since: () => string): Promise<Kill> {
  const killed = await cluster.leader();
  const pid = cluster.pid(killed);
  const atMs = Date.now();
  output.say(`${since()}  kill -9 ${pid}: ${killed}, the leader`);
  await cluster.kill(killed);
  const successor = await cluster.leader();
  output.say(`${since()}  ${successor} leads`);
  return { killed, atMs, successor };
}

function report(tally: Tally, kills: readonly Kill[], output: Output): boolean {
  const counted = tally.count();
  const { scheduled, delivered, lost, early, repeated, p50Ms, p99Ms, maxMs } = counted;
  const silences = kills.map((kill) => ({ ...kill, silenceMs: tally.silenceMs(kill) }));
  const good = scheduled > 0 && delivered === scheduled && lost === 0 && early === 0 && repeated === 0;
  const pair = (left: string, value: number, right: string, other: number): string =>
    `  ${left.padEnd(11)}${figure(value).padStart(7)}     ${right.padEnd(10)}${figure(other).padStart(3)}`;
  const text = [
    '',
    pair('scheduled', scheduled, 'lost', lost),
    pair('delivered', delivered, 'early', early),
    `${' '.repeat(25)}${'repeated'.padEnd(10)}${figure(repeated).padStart(3)}`,
    '',
    `  late        p50 ${figure(p50Ms)} ms, p99 ${figure(p99Ms)} ms, worst ${figure(maxMs)} ms`,
    ...silences.map(
      ({ killed, successor, silenceMs }) =>
        `  killed ${killed}   ${successor} went on; ${silenceMs === undefined ? 'nothing was due any more' : `the longest silence was ${figure(silenceMs)} ms`}`,
    ),
  ];
  output.result(text.join('\n'), {
    ...counted,
    kills: silences.map(({ killed, successor, silenceMs = null }) => ({ killed, successor, silenceMs })),
    good,
  });
  return good;
}

async function until(wallMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(wallMs - Date.now(), 0)));
}
