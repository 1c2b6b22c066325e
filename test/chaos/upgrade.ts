// A cluster of the first build becomes one of the present build, node by node, while it serves.
import { setTimeout as pause } from 'node:timers/promises';
import type { FaultContext } from './faults.ts';
import { untilAnswered } from './http.ts';

const activeMs = 60_000;

/** Resolves when all run the present build, know it, and take changes of members. */
export async function upgrade({ cluster, history, random }: FaultContext): Promise<void> {
  const restart = async (id: string, how: 'SIGKILL' | 'SIGTERM', what: string) => {
    history.add({ kind: 'fault', atMs: Date.now(), what: `${what}: ${id} (${how})` });
    await cluster.signal(id, how);
    cluster.start(id);
    await cluster.caughtUp();
    await pause(500 + random.below(1_000));
  };
  await pause(2_000 + random.below(2_000));
  for (const id of cluster.members) await restart(id, random.chance(0.5) ? 'SIGKILL' : 'SIGTERM', 'upgrade');
  const request = { method: 'GET', path: '/v1/cluster/members' } as const;
  await cluster.until('the members know of changes', activeMs, async () => {
    const apis = cluster.members.map((id) => cluster.api(id));
    const answer = await untilAnswered(apis, random, () => request, { withinMs: 2_000, giveUpMs: 10_000, history });
    return answer?.status === 200 ? true : undefined;
  });
  // From now on each of them knows the links to those who join later.
  cluster.joinFromNowOn();
  for (const id of cluster.members) await restart(id, 'SIGTERM', 'restart');
}
