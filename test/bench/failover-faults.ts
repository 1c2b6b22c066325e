// What may happen to the node that delivers, and what its users may notice of it at most.
import type { Links } from '../chaos/links.ts';
import { toOrFrom } from '../chaos/links.ts';
import type { ProcessCluster } from '../processes/cluster.ts';

export interface Struck {
  readonly cluster: ProcessCluster;
  /** Between the nodes, where the fault needs it. */
  readonly links: Links | undefined;
}

export interface FailoverFault {
  readonly says: string;
  /** The nodes reach each other through links that can be cut; others see a process end at once, as without a link. */
  readonly needsLinks: boolean;
  /** Messages fall due for so long after it. */
  readonly watchedMs: number;
  /** Of the silence in deliveries, ms. */
  readonly aim: { readonly p50: number; readonly p99: number };
  strike(struck: Struck, leader: string): Promise<void>;
  /** Afterwards the node is a member as before. */
  mend(struck: Struck, leader: string): Promise<void>;
}

const sleeping = { needsLinks: false, watchedMs: 2_500, aim: { p50: 700, p99: 1_500 } } as const;

const failoverFaults = {
  kill: {
    says: 'kill -9',
    needsLinks: false,
    watchedMs: 1_500,
    aim: { p50: 100, p99: 300 },
    strike: ({ cluster }, leader) => cluster.signal(leader, 'SIGKILL'),
    mend: async ({ cluster }, leader) => cluster.start(leader),
  },
  stop: {
    ...sleeping,
    says: 'SIGSTOP',
    strike: ({ cluster }, leader) => cluster.signal(leader, 'SIGSTOP'),
    mend: ({ cluster }, leader) => cluster.signal(leader, 'SIGCONT'),
  },
  cut: {
    ...sleeping,
    says: 'cut off from the other nodes',
    needsLinks: true,
    strike: async ({ links }, leader) => links?.cut(toOrFrom(leader)),
    mend: async ({ links }) => links?.healAll(),
  },
  transfer: {
    says: 'leadership handed over',
    needsLinks: false,
    watchedMs: 1_000,
    aim: { p50: 50, p99: 100 },
    strike: async ({ cluster }, leader) => {
      const response = await fetch(`${cluster.api(leader)}/v1/cluster/transfer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
      if (!response.ok) throw new Error(`${leader} does not hand over: ${await response.text()}`);
    },
    mend: async () => undefined,
  },
} as const satisfies Readonly<Record<string, FailoverFault>>;

type Fault = keyof typeof failoverFaults;
export type How = Fault | 'all';

const faults = Object.keys(failoverFaults) as Fault[];
export const hows: readonly How[] = [...faults, 'all'];

export const faultsOf = (how: How): readonly FailoverFault[] =>
  (how === 'all' ? faults : [how]).map((name) => failoverFaults[name]);
