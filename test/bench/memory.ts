// W6: memory and disk of all three node processes with many messages waiting.
import { diskBytes, residentBytes } from '../processes/usage.ts';
import { fillWaiting, withCluster } from './load.ts';
import type { BenchOptions } from './options.ts';

const mb = (bytes: number) => Math.round(bytes / 1_000_000);

export async function memory({ waiting }: BenchOptions): Promise<void> {
  await withCluster(async (cluster, store) => {
    await fillWaiting(store, 'bench', waiting);
    await cluster.caughtUp();
    const pids = cluster.pids();
    const each = pids.map((pid) => mb(residentBytes([pid], 'each')));
    console.log(
      `W6 with ${waiting} waiting: ${mb(residentBytes(pids, 'once'))} MB resident in all three, shared pages counted once; ` +
        `${mb(residentBytes(pids, 'each'))} MB when they count for each (${each.join(', ')}); ${mb(diskBytes(cluster.folder))} MB on disk in all three`,
    );
  });
}
