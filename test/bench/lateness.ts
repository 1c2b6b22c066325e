// W3: `--waiting` messages wait for later; `--messages` fall due 1 ms apart; one worker acknowledges each. The figures of
// all of them, and of those after the first seconds: nothing was leased or acknowledged in these processes before, and
// until V8 has compiled that code it takes many times as long.
import { Deliveries } from '../measure/deliveries.ts';
import { figures, ms } from '../measure/percentiles.ts';
import { body, fillWaiting, loops, withCluster } from './load.ts';
import type { BenchOptions } from './options.ts';

const aheadMs = 20_000;
const coldMs = 5_000;

export async function lateness({ runs, waiting, messages }: BenchOptions): Promise<void> {
  for (let run = 1; run <= runs; run += 1) {
    await withCluster(async (_cluster, store) => {
      const topic = store.topic('bench');
      await fillWaiting(store, 'bench', waiting);
      const deliveries = new Deliveries();
      const start = Date.now() + aheadMs;
      let next = 0;
      await loops(16, async () => {
        const first = next;
        const count = Math.min(100, messages - first);
        next += count;
        if (count <= 0) return false;
        await topic.scheduleBatch(
          Array.from({ length: count }, (_, at) => ({
            payload: body(),
            when: { at: start + first + at },
            headers: { number: String(first + at) },
          })),
        );
        for (let at = 0; at < count; at += 1) deliveries.acknowledged(first + at, start + first + at);
        return true;
      });
      const scheduledMs = Date.now() - (start - aheadMs);
      await using worker = topic
        .group('consumer')
        .worker(async (message) => deliveries.delivered(Number(message.headers['number']), Date.now()), {
          concurrency: 64,
        });
      const end = start + messages + 30_000;
      while (deliveries.arrived < messages && Date.now() < end)
        await new Promise((resolve) => setTimeout(resolve, 100));
      await worker.stop();
      const { p50, p99, p999, max } = deliveries.latenessFigures();
      const warm = figures(deliveries.lateness(start + coldMs));
      const { lost, early, repeated } = deliveries.counts();
      console.log(
        `W3 with ${waiting} waiting, run ${run}: lateness p50 ${ms(p50)} p99 ${ms(p99)} p99.9 ${ms(p999)} max ${ms(max)} ms; from second ${coldMs / 1_000} on p50 ${ms(warm.p50)} p99 ${ms(warm.p99)} p99.9 ${ms(warm.p999)} ms; early ${early}, lost ${lost}, repeated ${repeated} (scheduled in ${scheduledMs} ms)`,
      );
      if (early + lost + repeated > 0) process.exitCode = 1;
    });
  }
}
