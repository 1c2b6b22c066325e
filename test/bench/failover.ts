// How long deliveries stop when the node that delivers is killed with -9, again and again; it comes back each time.
import { Deliveries } from '../measure/deliveries.ts';
import { ascending, median, ms, percentile } from '../measure/percentiles.ts';
import { body, loops, withCluster } from './load.ts';
import type { BenchOptions } from './options.ts';

const duePerSecond = 200;
const betweenKillsMs = 5_000;
const aheadMs = 10_000;

export async function failover({ kills }: BenchOptions): Promise<void> {
  await withCluster(async (cluster, store) => {
    const topic = store.topic('bench');
    const deliveries = new Deliveries();
    const messages = Math.ceil((((kills + 1) * betweenKillsMs) / 1_000) * duePerSecond);
    const stepMs = 1_000 / duePerSecond;
    const start = Date.now() + aheadMs;
    let next = 0;
    await loops(8, async () => {
      const first = next;
      const count = Math.min(100, messages - first);
      next += count;
      if (count <= 0) return false;
      const due = (number: number) => start + Math.round(number * stepMs);
      await topic.scheduleBatch(
        Array.from({ length: count }, (_, at) => ({
          payload: body(),
          when: { at: due(first + at) },
          headers: { number: String(first + at) },
        })),
      );
      for (let at = 0; at < count; at += 1) deliveries.acknowledged(first + at, due(first + at));
      return true;
    });
    await using worker = topic
      .group('consumer')
      .worker(async (message) => deliveries.delivered(Number(message.headers['number']), Date.now()), {
        concurrency: 64,
      });
    const at: { node: string; killMs: number }[] = [];
    for (let kill = 0; kill < kills; kill += 1) {
      const whenMs = start + (kill + 0.5) * betweenKillsMs;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, whenMs - Date.now())));
      const node = await cluster.leader();
      at.push({ node, killMs: Date.now() });
      await cluster.signal(node, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      cluster.start(node);
      await cluster.caughtUp();
    }
    const end = start + messages * stepMs + 30_000;
    while (deliveries.arrived < messages && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
    await worker.stop();
    const silences = at.map(({ killMs }) => deliveries.longestSilence(killMs, killMs + 1_500));
    for (const [index, { node }] of at.entries())
      console.log(`kill ${index + 1}: ${node}, silence ${ms(silences[index] ?? Number.NaN)} ms`);
    const { lost, early, repeated } = deliveries.counts();
    const { p50, p99, max } = deliveries.latenessFigures();
    console.log(
      `kill -9 of the node that delivers, ${kills} times at ${duePerSecond} due/s: silence median ${ms(median(silences))} ms, p90 ${ms(percentile(ascending(silences), 0.9))} ms, worst ${ms(Math.max(...silences))} ms`,
    );
    console.log(
      `of ${messages}: lost ${lost}, early ${early}, repeated ${repeated}; lateness p50 ${ms(p50)} p99 ${ms(p99)} max ${ms(max)} ms`,
    );
    if (lost + early + repeated > 0) process.exitCode = 1;
  });
}
