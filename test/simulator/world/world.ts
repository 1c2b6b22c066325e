// The whole cluster in one process: machines, wires, clients, and one seed that decides everything.
import type { NodeId, RaftTiming } from '@holdfast/raft';
import type { MemberConfig, Peer } from '@holdfast/server';
import type { Profile } from '../profile.ts';
import { type Random, seeded } from '../random.ts';
import { createTrace, type Trace } from '../trace.ts';
import { Client } from '../work/client.ts';
import { emptyHistory, type History } from '../work/history.ts';
import { Operator } from '../work/operator.ts';
import { Archive } from './archive.ts';
import { apiOf, ClientNetwork } from './client-network.ts';
import { createTrueTime, MachineClock, type TrueTime } from './clock.ts';
import { Disk } from './disk.ts';
import { Machine, type MachineOptions } from './machine.ts';
import { Network } from './network.ts';

export interface World {
  readonly profile: Profile;
  readonly time: TrueTime;
  readonly random: Random;
  readonly trace: Trace;
  readonly network: Network;
  readonly requests: ClientNetwork;
  /** Those in service. */
  readonly machines: readonly Machine[];
  /** Those that stand by, too. */
  readonly pool: readonly Machine[];
  readonly operator: Operator;
  readonly history: History;
  /** What logs that were compacted have let go of. */
  readonly archive: Archive;
  /** What nobody may ever see; each is a sentence. */
  readonly violations: string[];
  client(name: string, giveUpAfterMs: number): Client;
  machine(id: NodeId): Machine;
  /** The machine that takes itself for the leader, of the highest term when there are several. */
  leader(): Machine | undefined;
}

export interface WorldOptions {
  readonly seed: number;
  readonly profile: Profile;
  readonly keepLines: number;
  readonly print?: ((line: string) => void) | undefined;
  readonly pace?: Pace;
}

/** How often anything happens that happens again and again: what simulated time costs while nothing else does. */
export interface Pace {
  readonly timing: RaftTiming;
  /** A connection on which nothing was heard for so long is given up. */
  readonly silenceMs: number;
  /** Mean time between two looks at what is connected. */
  readonly connectEveryMs: number;
  /** What logs let go of is kept, so that everything can be applied anew. */
  readonly keepsLogs: boolean;
  /** What a member keeps for a while, where that is less than by default. */
  readonly keeps: Pick<MemberConfig, 'writeBufferBytes' | 'endedKeepMs'>;
}

/** How far a wild clock may be ahead, or behind. */
export const mostWildMs = 3_600_000;

/** Scaled down, as the work is: it lasts for the seconds until every node has looked and the leader knows, and some more. */
export const minFreeBytes = 192 * 1024;

const usualPace: Pace = {
  timing: { tickMs: 25, heartbeatMs: 50, electionMinMs: 300, electionMaxMs: 600, fastElectionMs: 50 },
  silenceMs: 1_500,
  connectEveryMs: 40,
  keepsLogs: true,
  keeps: {},
};

export function createWorld({ seed, profile, keepLines, print, pace = usualPace }: WorldOptions): World {
  const random = seeded(seed).fork('world');
  const time = createTrueTime();
  const trace = createTrace({ nowMs: () => time.nowMs, keep: keepLines, print });
  const ids = Array.from({ length: profile.nodes + profile.spares }, (_, i) => `n${i + 1}`);
  const violations: string[] = [];
  const history = emptyHistory();
  const network = new Network({
    time,
    trace,
    random: random.fork('network'),
    nodes: ids,
    latencyMs: profile.latencyMs,
    reorders: profile.reorders,
    silenceMs: pace.silenceMs,
    connectEveryMs: pace.connectEveryMs,
  });
  const requests = new ClientNetwork({
    time,
    trace,
    random: random.fork('requests'),
    latencyMs: profile.latencyMs,
    door: (id) => machineOf(id).door(),
    passes: (from, to) => network.passes(from, to),
  });
  const archive = new Archive();
  const around = { time, trace, network, requests, archive, pace, onStopped: stopsFor(violations) };
  const pool = createMachines(profile, ids, random, around);
  const machineOf = (id: NodeId): Machine => {
    const machine = pool.find((candidate) => candidate.id === id);
    if (machine === undefined) throw new Error(`there is no machine ${id}`);
    return machine;
  };
  return {
    profile,
    time,
    random,
    trace,
    network,
    requests,
    get machines() {
      return pool.filter(({ inService }) => inService);
    },
    pool,
    operator: new Operator({ machines: pool, time, trace, network: requests, random: random.fork('operator') }),
    history,
    archive,
    violations,
    client: (name, giveUpAfterMs) => {
      const own = random.fork(`client ${name}`);
      return new Client({ name, nodes: ids, time, random: own, network: requests, history, trace, giveUpAfterMs });
    },
    machine: machineOf,
    leader() {
      const leaders = pool.filter((machine) => machine.member?.status().raft.role === 'leader');
      return leaders.sort((a, b) => (b.member?.status().raft.term ?? 0) - (a.member?.status().raft.term ?? 0))[0];
    },
  };
}

const stopsFor =
  (violations: string[]) =>
  (machine: Machine, error: Error): void => {
    if (machine.mayStop || (machine.leaving && machine.stoppedBy === 'HF_REMOVED_MEMBER')) return;
    const said = error.stack ?? error.message;
    violations.push(`a node stops only for a reason: ${machine.id} had none, and said: ${said}`);
  };

type Surroundings = Pick<MachineOptions, 'time' | 'trace' | 'network' | 'requests' | 'onStopped'> & {
  readonly archive: Archive;
  readonly pace: Pace;
};

/**
 * Clocks are wrong within the bound; with `wildClock` one of them is ahead or behind by anything up to an hour. Where a leader
 * knows only two clocks the slower one counts, so cluster time jumps ahead when a third one is heard.
 */
function createMachines(profile: Profile, ids: readonly NodeId[], random: Random, around: Surroundings): Machine[] {
  const { time, archive, pace } = around;
  const all = ids.map((id): Peer => ({ id, peer: `${id}:7400`, api: apiOf(id) }));
  const founders = all.slice(0, profile.nodes);
  const wild = profile.wildClock ? random.int(0, founders.length - 1) : -1;
  return ids.map((id, i): Machine => {
    const own = random.fork(id);
    const skewMs = (own.next() * 2 - 1) * (i === wild ? mostWildMs : profile.skewMs);
    const limits = { maxClockSkewMs: 500, minFreeBytes, freeMarginBytes: 48 * 1024 };
    const join = i >= founders.length;
    const peers = join ? all.slice(i, i + 1) : founders;
    const { graceMs, retention } = profile;
    const config: MemberConfig = { id, peers, join, timing: pace.timing, graceMs, ...limits, retention, ...pace.keeps };
    return new Machine({
      ...around,
      id,
      config,
      build: profile.firstBuild ? 'first' : 'present',
      wildClock: i === wild,
      clock: new MachineClock(time, skewMs, (own.next() * 2 - 1) * profile.drift),
      disk: new Disk({
        time,
        random: own.fork('disk'),
        writeMs: profile.writeMs,
        readMs: profile.readMs,
        ...(pace.keepsLogs ? { seen: (before, operations) => archive.see(id, before, operations) } : {}),
      }),
      random: own.fork('process'),
    });
  });
}
