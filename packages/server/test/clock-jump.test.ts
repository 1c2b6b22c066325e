// Cluster time jumps ahead: a clock that was behind was the judge, and is set right, or outvoted by one that joins in.
import { afterEach, expect, test } from 'vitest';
import { Cluster } from './cluster.ts';

const hourMs = 3_600_000;
const longEnoughToCollectMs = 15_000;

let cluster: Cluster;
afterEach(async () => {
  for (const { fatal } of cluster.nodes.values()) expect(fatal).toEqual([]);
  await cluster.stop();
});

test('a repeat gets the first answer also when cluster time jumped by an hour meanwhile', async () => {
  cluster = await Cluster.start(['n1']);
  await cluster.until(() => cluster.node('n1').member.status().activeVersion >= 2);
  const first = await cluster.schedule('n1', 'pay the rent', '1d', 'once');
  cluster.aheadMs.set('n1', hourMs);
  const other = await cluster.schedule('n1', 'another', '1d', 'other');
  expect(other.deliverAtMs - first.deliverAtMs).toBeGreaterThanOrEqual(hourMs);
  await cluster.pass(longEnoughToCollectMs);
  expect(await cluster.schedule('n1', 'pay the rent', '1d', 'once')).toEqual({ ...first, repeated: true });
});
