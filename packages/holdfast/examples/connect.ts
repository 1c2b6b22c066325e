// A client of a cluster. In packages/holdfast: `npx tsc -b examples`, start a cluster with `npm start` in the root, then
//
//     node dist/examples/connect.js http://127.0.0.1:7401 http://127.0.0.1:7402 http://127.0.0.1:7403
//
// Kill any one of the nodes while it runs: it takes a little longer, and that is all.
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Holdfast } from 'holdfast';
import { z } from 'zod';

const order = z.object({ number: z.int(), total: z.number() });

export async function main(nodes: readonly string[]): Promise<void> {
  await using store = Holdfast.connect({ nodes });
  const orders = store.topic('unpaid-orders', { payload: order });

  const handled = new Set<number>();
  await using worker = orders.group('reminders').worker(
    async ({ payload, latenessMs, signal }) => {
      // `signal` fires when the lease is lost: somebody else may have the order then.
      signal.throwIfAborted();
      console.log(`order ${payload.number} is unpaid (${payload.total}), ${latenessMs < 1_000 ? 'on time' : 'late'}`);
      handled.add(payload.number);
    },
    { concurrency: 4, lease: '30s' },
  );

  const { messages } = await orders.scheduleBatch([
    { payload: { number: 1, total: 10 }, when: { delay: '500ms' } },
    { payload: { number: 2, total: 20 }, when: { delay: '600ms' } },
    { payload: { number: 3, total: 30 }, when: { delay: '1h' } },
  ]);
  const paid = messages[2];
  if (paid !== undefined) console.log(`order 3 is paid: ${(await orders.cancel(paid.id)).kind}`);

  while (handled.size < 2) await setTimeout(20);
  await worker.stop();
  console.log(`acknowledged ${worker.counters().acknowledged}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
