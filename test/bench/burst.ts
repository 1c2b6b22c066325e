// W5: 100 k messages due at the same instant.
import { Deliveries } from '../measure/deliveries.ts';
import { median, ms } from '../measure/percentiles.ts';
import { body, loops, withCluster } from './load.ts';
import type { BenchOptions } from './options.ts';

const messages = 100_000;
const aheadMs = 15_000;

export async function burst({ runs }: BenchOptions): Promise<void> {
  for (let run = 1; run <= runs; run += 1) {
    await withCluster(async (_cluster, store) => {
      const topic = store.topic('bench');
      const deliveries = new Deliveries();
      const dueMs = Date.now() + aheadMs;
      let next = 0;
      await loops(16, async () => {
        const first = next;
        next += 100;
        if (first >= messages) return false;
        await topic.scheduleBatch(
          Array.from({ length: 100 }, (_, at) => ({
            payload: body(),
            when: { at: dueMs },
            headers: { number: String(first + at) },
          })),
        );
        for (let at = 0; at < 100; at += 1) deliveries.acknowledged(first + at, dueMs);
        return true;
      });
      const spareMs = dueMs - Date.now();
      await using worker = topic
        .group('consumer')
        .worker(async (message) => deliveries.delivered(Number(message.headers['number']), Date.now()), {
          concurrency: 512,
        });
      const end = dueMs + 120_000;
      while (deliveries.arrived < messages && Date.now() < end)
        await new Promise((resolve) => setTimeout(resolve, 100));
      await worker.stop();
      const late = deliveries.lateness();
      const { lost, early, repeated } = deliveries.counts();
      console.log(
        `W5 ${messages} at one instant, run ${run}: first ${ms(late.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY))} ms, median ${ms(median(late))} ms, last ${ms(late.reduce((a, b) => Math.max(a, b), 0))} ms; early ${early}, lost ${lost}, repeated ${repeated} (all scheduled ${spareMs} ms before they were due)`,
      );
      if (early + lost + repeated > 0) process.exitCode = 1;
    });
  }
}
