// W1 and W2: how many messages a second are acknowledged, in batches of 100 with 16 requests in flight, and one a request
// with 64 in flight. Deliver times spread over one to two hours ahead; 2 s warm-up.
import { figures, ms } from '../measure/percentiles.ts';
import { cpuSeconds } from '../processes/usage.ts';
import { body, hourMs, loops, withCluster } from './load.ts';
import type { BenchOptions } from './options.ts';

const warmUpMs = 2_000;

export async function schedule({ runs, seconds }: BenchOptions): Promise<void> {
  for (const { id, batch, inFlight } of [
    { id: 'W1 batches of 100, 16 in flight', batch: 100, inFlight: 16 },
    { id: 'W2 one a request, 64 in flight', batch: 1, inFlight: 64 },
  ]) {
    for (let run = 1; run <= runs; run += 1) {
      await withCluster(async (cluster, store) => {
        const topic = store.topic('bench');
        const from = performance.now() + warmUpMs;
        const to = from + seconds * 1_000;
        const acknowledgedMs: number[] = [];
        let messages = 0;
        let cpuAtStart = 0;
        const payload = body();
        const at = () => Date.now() + hourMs + Math.floor(Math.random() * hourMs);
        await loops(inFlight, async () => {
          const began = performance.now();
          if (batch === 1) await topic.schedule(payload, { at: at() });
          else await topic.scheduleBatch(Array.from({ length: batch }, () => ({ payload, when: { at: at() } })));
          const now = performance.now();
          if (began >= from && now <= to) {
            if (cpuAtStart === 0) cpuAtStart = cpuSeconds(cluster.pids());
            acknowledgedMs.push(now - began);
            messages += batch;
          }
          return now < to;
        });
        const cpu = cpuSeconds(cluster.pids()) - cpuAtStart;
        const { p50, p99 } = figures(acknowledgedMs);
        console.log(
          `${id}, run ${run}: ${Math.round(messages / seconds)} messages/s, ack p50 ${ms(p50)} ms p99 ${ms(p99)} ms, servers ${((cpu * 100_000) / messages).toFixed(2)} CPU s per 100 k`,
        );
      });
    }
  }
}
