// How long deliveries stop when something happens to the node that delivers, again and again; it is back each time before
// the next. Every message is acknowledged before the first of its round falls due, so a silence is one of deliveries alone.
import { setTimeout as pause } from 'node:timers/promises';
import { Holdfast } from 'holdfast';
import { Links } from '../chaos/links.ts';
import { seededRandom } from '../chaos/random.ts';
import { Deliveries } from '../measure/deliveries.ts';
import { figures, ms } from '../measure/percentiles.ts';
import { ProcessCluster } from '../processes/cluster.ts';
import { type FailoverFault, faultsOf, type Struck } from './failover-faults.ts';
import { body, type Connection } from './load.ts';
import type { BenchOptions } from './options.ts';

const duePerSecond = 200;
const stepMs = 1_000 / duePerSecond;
/** From the first message of a round being scheduled until it is due. */
const aheadMs = 1_000;
/** From then on until the fault, and so much more by chance: it meets any moment between two heartbeats. */
const undisturbedMs = 200;
const chanceMs = 100;
const arrivedMs = 60_000;
const seed = 1;

export async function failover({ kills, how }: BenchOptions): Promise<void> {
  for (const fault of faultsOf(how)) await measure(fault, kills);
}

async function measure(fault: FailoverFault, rounds: number): Promise<void> {
  let links: Links | undefined;
  const peerAddress = (from: string, to: string, real: string) => links?.address(from, to) ?? real;
  await using cluster = await ProcessCluster.create({ nodes: 3, peerAddress });
  if (fault.needsLinks) links = await Links.between(cluster.ids.map((id) => ({ id, peer: cluster.peer(id) })));
  try {
    cluster.startAll();
    await cluster.leader();
    await using store = Holdfast.connect({ nodes: cluster.apis });
    await run(fault, rounds, { cluster, links }, store);
  } finally {
    await links?.close();
  }
}

interface Round {
  readonly leader: string;
  readonly silenceMs: number;
  /** From the fault until another node led; the rest of the silence is the scheduler's and the client's. */
  readonly ledAfterMs: number;
}

async function run(fault: FailoverFault, rounds: number, struck: Struck, store: Connection): Promise<void> {
  const deliveries = new Deliveries();
  const random = seededRandom(seed);
  const seen: Round[] = [];
  await using worker = store
    .topic('bench')
    .group('consumer')
    .worker(async (message) => deliveries.delivered(Number(message.headers['number']), Date.now()), {
      concurrency: 64,
      onError: (error) => console.log(`the worker met ${String(error)}`),
    });
  for (let number = 1; number <= rounds; number += 1) {
    const leader = await struck.cluster.leader();
    const endMs = await schedule(store, deliveries, undisturbedMs + chanceMs + fault.watchedMs);
    const dueMs = endMs - (undisturbedMs + chanceMs + fault.watchedMs);
    await pause(Math.max(0, dueMs + undisturbedMs + random.below(chanceMs) - Date.now()));
    const faultMs = Date.now();
    await fault.strike(struck, leader);
    const giveUpMs = endMs + arrivedMs;
    while (deliveries.arrived < deliveries.asked && Date.now() < giveUpMs) await pause(20);
    const silenceMs = deliveries.longestSilence(faultMs, Math.max(endMs, Date.now()));
    const ledAfterMs = ledMs(struck.cluster, faultMs) - faultMs;
    seen.push({ leader, silenceMs, ledAfterMs });
    console.log(`${number}: ${leader}, another led after ${ms(ledAfterMs)} ms, silence ${ms(silenceMs)} ms`);
    await fault.mend(struck, leader);
    await struck.cluster.caughtUp();
  }
  await worker.stop();
  report(fault, seen, deliveries);
}

/** Acknowledged before the first is due. @returns when the last is due */
async function schedule(store: Connection, deliveries: Deliveries, forMs: number): Promise<number> {
  const topic = store.topic('bench');
  const startMs = Date.now() + aheadMs;
  const first = deliveries.asked;
  const due = Array.from({ length: Math.ceil(forMs / stepMs) }, (_, at) => startMs + Math.round(at * stepMs));
  const batches = Array.from({ length: Math.ceil(due.length / 100) }, (_, batch) =>
    due.slice(batch * 100, batch * 100 + 100).map((at, index) => ({ number: first + batch * 100 + index, at })),
  );
  await Promise.all(
    batches.map(async (batch) => {
      await topic.scheduleBatch(
        batch.map(({ number, at }) => ({ payload: body(), when: { at }, headers: { number: String(number) } })),
      );
      for (const { number, at } of batch) deliveries.acknowledged(number, at);
    }),
  );
  if (Date.now() >= startMs) throw new Error(`scheduling took longer than ${aheadMs} ms: nothing can be measured`);
  return startMs + forMs;
}

/** When the first node after `sinceMs` began to lead, as the nodes' logs say; ms since the epoch. */
function ledMs(cluster: ProcessCluster, sinceMs: number): number {
  const times = cluster.ids.flatMap((id) =>
    cluster
      .log(id)
      .split('\n')
      .filter((line) => line.includes('"raft.leader"'))
      .map((line) => Date.parse((JSON.parse(line) as { readonly time: string }).time)),
  );
  return Math.min(...times.filter((time) => time >= sinceMs));
}

function report({ says, aim }: FailoverFault, seen: readonly Round[], deliveries: Deliveries): void {
  const silence = figures(seen.map(({ silenceMs }) => silenceMs));
  const led = figures(seen.map(({ ledAfterMs }) => ledAfterMs));
  const late = deliveries.latenessFigures();
  const { lost, early, repeated, unexpected } = deliveries.counts();
  const missed = silence.p50 > aim.p50 || silence.p99 > aim.p99;
  console.log(
    `${says}, ${seen.length} times at ${duePerSecond} due/s: silence p50 ${ms(silence.p50)} p99 ${ms(silence.p99)} worst ${ms(silence.max)} ms` +
      ` (aim ${aim.p50} / ${aim.p99}${missed ? ': missed' : ''}); another led after p50 ${ms(led.p50)} worst ${ms(led.max)} ms`,
  );
  console.log(
    `of ${deliveries.asked}: lost ${lost}, early ${early}, repeated ${repeated}, unexpected ${unexpected}; lateness p50 ${ms(late.p50)} p99 ${ms(late.p99)} max ${ms(late.max)} ms`,
  );
  if (lost + early + repeated + unexpected > 0) process.exitCode = 1;
}
