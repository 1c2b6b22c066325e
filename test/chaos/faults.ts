// One fault after the other, each healed before the next: kills of one and of all, pauses, cuts in both and in one direction.
import type { ProcessCluster } from '../processes/cluster.ts';
import type { History } from './history.ts';
import { type Links, toOrFrom } from './links.ts';
import type { Random } from './random.ts';

export interface FaultContext {
  readonly cluster: ProcessCluster;
  readonly links: Links;
  readonly history: History;
  readonly random: Random;
  /** Nodes that something else is done to just now. */
  readonly held: Set<string>;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Fault = (context: FaultContext, victim: string) => Promise<void>;

const faults: Readonly<Record<string, Fault>> = {
  kill: async ({ cluster, random }, victim) => {
    await cluster.signal(victim, 'SIGKILL');
    await pause(random.below(3_000));
    cluster.start(victim);
  },
  /** For longer than the log reaches back. */
  'away for long': async ({ cluster, random }, victim) => {
    await cluster.signal(victim, 'SIGKILL');
    await pause(6_000 + random.below(6_000));
    cluster.start(victim);
  },
  'kill all': async ({ cluster, random, held }, victim) => {
    const all = [victim, ...cluster.members.filter((id) => !held.has(id))];
    await Promise.all(all.map((id) => cluster.signal(id, 'SIGKILL')));
    await pause(random.below(1_000));
    for (const id of all) if (!cluster.running(id)) cluster.start(id);
  },
  pause: async ({ cluster, random }, victim) => {
    await cluster.signal(victim, 'SIGSTOP');
    await pause(300 + random.below(3_000));
    await cluster.signal(victim, 'SIGCONT');
  },
  'cut off': async (context, victim) => {
    await cutFor(context, toOrFrom(victim));
  },
  'cut what it hears': async (context, victim) => {
    await cutFor(context, (_from, to) => to === victim);
  },
  'cut what it says': async (context, victim) => {
    await cutFor(context, (from) => from === victim);
  },
};

async function cutFor({ links, random }: FaultContext, which: (from: string, to: string) => boolean): Promise<void> {
  links.cut(which);
  await pause(500 + random.below(4_000));
  links.healAll();
}

/** Until `endMs` (ms since the epoch); everything runs and is healed when it resolves. @returns how often each fault came */
export async function runFaults(context: FaultContext, endMs: number): Promise<ReadonlyMap<string, number>> {
  const { cluster, history, random, held } = context;
  const counts = new Map<string, number>();
  while (Date.now() < endMs) {
    await pause(500 + random.below(3_000));
    const name = random.pick(Object.keys(faults));
    const leads = random.chance(0.7) ? await cluster.leader().catch(() => undefined) : undefined;
    const free = cluster.members.filter((id) => !held.has(id));
    const victim = leads !== undefined && free.includes(leads) ? leads : random.pick(free);
    held.add(victim);
    history.add({
      kind: 'fault',
      atMs: Date.now(),
      what: `${name}: ${victim}${leads === victim ? ' (leads)' : ''}`,
    });
    await faults[name]?.(context, victim);
    held.delete(victim);
    history.add({ kind: 'fault', atMs: Date.now(), what: 'healed' });
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
