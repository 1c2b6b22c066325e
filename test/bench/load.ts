// What the benchmarks share: a running cluster with a client, bodies, and many waiting messages.
import { randomBytes } from 'node:crypto';
import { Holdfast } from 'holdfast';
import { ProcessCluster } from '../processes/cluster.ts';

const bodyBytes = 256;
export const body = (): Uint8Array => randomBytes(bodyBytes);
export const hourMs = 3_600_000;

export type Connection = ReturnType<typeof Holdfast.connect>;

/** Runs `work` against three fresh node processes, and ends them whatever happens. */
export async function withCluster(work: (cluster: ProcessCluster, store: Connection) => Promise<void>): Promise<void> {
  await using cluster = await ProcessCluster.create({ nodes: 3 });
  cluster.startAll();
  await cluster.leader();
  await using store = Holdfast.connect({ nodes: cluster.apis });
  await work(cluster, store);
}

/** `inFlight` loops, each calling `once` until it says that it is done. */
export async function loops(inFlight: number, once: (loop: number) => Promise<boolean>): Promise<void> {
  await Promise.all(
    Array.from({ length: inFlight }, async (_, loop) => {
      while (await once(loop));
    }),
  );
}

/** Schedules `count` messages due in one to two hours, in batches of 100. */
export async function fillWaiting(store: Connection, topicName: string, count: number): Promise<void> {
  const topic = store.topic(topicName);
  const start = Date.now() + hourMs;
  let left = count;
  await loops(16, async () => {
    if (left <= 0) return false;
    const batch = Math.min(100, left);
    left -= batch;
    await topic.scheduleBatch(
      Array.from({ length: batch }, () => ({
        payload: body(),
        when: { at: start + Math.floor(Math.random() * hourMs) },
      })),
    );
    return true;
  });
}
