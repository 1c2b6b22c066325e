// One fault after the other, each healed before the next: kills of one and of all, pauses, cuts in both and in one direction.
import type { ProcessCluster } from '../processes/cluster.ts';
import type { History } from './history.ts';
import type { Link } from './proxy.ts';
import type { Random } from './random.ts';

export interface FaultContext {
  readonly cluster: ProcessCluster;
  /** `from>to` -> the link that carries what `from` sends to `to`. */
  readonly links: ReadonlyMap<string, Link>;
  readonly history: History;
  readonly random: Random;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Fault = (context: FaultContext, victim: string) => Promise<void>;

const faults: Readonly<Record<string, Fault>> = {
  kill: async ({ cluster, random }, victim) => {
    await cluster.signal(victim, 'SIGKILL');
    await pause(random.below(3_000));
    cluster.start(victim);
  },
  'kill all': async ({ cluster, random }) => {
    await Promise.all(cluster.ids.map((id) => cluster.signal(id, 'SIGKILL')));
    await pause(random.below(1_000));
    cluster.startAll();
  },
  pause: async ({ cluster, random }, victim) => {
    await cluster.signal(victim, 'SIGSTOP');
    await pause(300 + random.below(3_000));
    await cluster.signal(victim, 'SIGCONT');
  },
  'cut off': async (context, victim) => {
    await cutFor(context, (from, to) => from === victim || to === victim);
  },
  'cut what it hears': async (context, victim) => {
    await cutFor(context, (_from, to) => to === victim);
  },
  'cut what it says': async (context, victim) => {
    await cutFor(context, (from) => from === victim);
  },
};

async function cutFor({ links, random }: FaultContext, which: (from: string, to: string) => boolean): Promise<void> {
  const cut = [...links].filter(([name]) => {
    const [from = '', to = ''] = name.split('>');
    return which(from, to);
  });
  for (const [, link] of cut) link.cut();
  await pause(500 + random.below(4_000));
  for (const [, link] of cut) link.heal();
}

/** Until `endMs` (ms since the epoch); everything runs and is healed when it resolves. @returns how often each fault came */
export async function runFaults(context: FaultContext, endMs: number): Promise<ReadonlyMap<string, number>> {
  const { cluster, history, random } = context;
  const counts = new Map<string, number>();
  while (Date.now() < endMs) {
    await pause(500 + random.below(3_000));
    const name = random.pick(Object.keys(faults));
    const leads = random.chance(0.7) ? await cluster.leader().catch(() => undefined) : undefined;
    const victim = leads ?? random.pick(cluster.ids);
    history.add({
      kind: 'fault',
      atMs: Date.now(),
      what: `${name}: ${victim}${leads === undefined ? '' : ' (leads)'}`,
    });
    await faults[name]?.(context, victim);
    history.add({ kind: 'fault', atMs: Date.now(), what: 'healed' });
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  cluster.startAll();
  return counts;
}
