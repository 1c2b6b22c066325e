// What a run with real processes must hear of them.
import { expect, test } from 'vitest';
import { ProcessCluster } from './cluster.ts';

test('a process that ends though nobody told it to is heard of, and one that was told is not', async () => {
  const ended: string[] = [];
  await using cluster = await ProcessCluster.create({
    nodes: 2,
    onEndedByItself: (id, how) => ended.push(`${id} ${how}`),
  });
  cluster.startAll();
  const [first] = cluster.pids();
  await cluster.signal('n2', 'SIGKILL');
  if (first === undefined) throw new Error('n1 runs');
  process.kill(first, 'SIGABRT');
  await cluster.until('n1 has ended', 20_000, async () => (cluster.running('n1') ? undefined : true));
  expect(ended).toEqual(['n1 SIGABRT']);
}, 60_000);
