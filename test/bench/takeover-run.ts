// Messages fall due at a steady rate; the node that delivers is killed in the middle and stays dead: another one must go
// on without it, with nothing lost, early or twice.
import { Holdfast } from 'holdfast';
import { Deliveries } from '../measure/deliveries.ts';
import { ProcessCluster } from '../processes/cluster.ts';

export interface TakeoverSeen {
  readonly killed: string;
  readonly tookOver: string;
  readonly delivered: number;
  readonly lost: number;
  readonly early: number;
  readonly repeated: number;
  readonly latestMs: number;
  readonly silenceMs: number;
}

export async function takeover({
  messages,
  perSecond,
  aheadMs,
}: {
  messages: number;
  perSecond: number;
  aheadMs: number;
}): Promise<TakeoverSeen> {
  await using cluster = await ProcessCluster.create({ nodes: 3 });
  cluster.startAll();
  await cluster.leader();
  await using store = Holdfast.connect({ nodes: cluster.apis });
  const topic = store.topic('reminders');
  const deliveries = new Deliveries();
  const start = Date.now() + aheadMs;
  const due = (number: number) => start + Math.round((number * 1_000) / perSecond);
  for (let first = 0; first < messages; first += 100) {
    const numbers = Array.from({ length: Math.min(100, messages - first) }, (_, at) => first + at);
    await topic.scheduleBatch(numbers.map((number) => ({ payload: { number }, when: { at: due(number) } })));
    for (const number of numbers) deliveries.acknowledged(number, due(number));
  }
  await using worker = topic.group('mailer').worker(
    async (message) => {
      const { number } = message.payload as { number: number };
      deliveries.delivered(number, Date.now());
    },
    { concurrency: 16 },
  );
  const middleMs = due(messages / 2);
  await new Promise((resolve) => setTimeout(resolve, middleMs - Date.now()));
  const killed = await cluster.leader();
  const killMs = Date.now();
  await cluster.signal(killed, 'SIGKILL');
  const tookOver = await cluster.leader();
  const endMs = due(messages) + 15_000;
  while (deliveries.arrived < messages && Date.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 20));
  await worker.stop();
  return {
    killed,
    tookOver,
    delivered: deliveries.arrived,
    ...deliveries.counts(),
    latestMs: deliveries.latenessFigures().max,
    silenceMs: deliveries.longestSilence(killMs, killMs + 3_000),
  };
}
