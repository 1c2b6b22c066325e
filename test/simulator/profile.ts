// What one seed is made of. Every seed draws which faults there are and how often (a swarm): a run with all of them at
// once would hardly ever let one unfold.
import type { Random } from './random.ts';

/** An operator changes who leads, and who the members are. */
export type MemberFaultKind = 'transfer' | 'grow' | 'shrink' | 'replace';

export type FaultKind =
  | 'kill'
  | 'killLeader'
  | 'powerOff'
  | 'powerOffAll'
  | 'vanish'
  | 'stop'
  | 'pause'
  | 'pauseLeader'
  | 'isolate'
  | 'isolateLeader'
  | 'halves'
  | 'oneWay'
  | 'deafLeader'
  | 'ring'
  | 'usurped'
  | 'lossy'
  | 'doubling'
  | 'clogged'
  | 'reset'
  | 'diskStall'
  | 'diskFailure'
  | 'diskFills'
  | 'disksFill'
  | 'bitFlip'
  | 'lostBlock'
  | 'wipe'
  | 'clockJump'
  | MemberFaultKind
  | 'upgrade'
  | 'clientCut'
  | 'clientLoss';

export interface Profile {
  readonly name: string;
  readonly nodes: number;
  /** All begin with the first build; the fault `upgrade` restarts one with the present one. */
  readonly firstBuild: boolean;
  /** Machines that stand by, to be taken in. */
  readonly spares: number;
  /** Faults come for so long (true ms); then everything is mended. */
  readonly faultsMs: number;
  /** Mean time between two faults. */
  readonly everyMs: number;
  readonly faults: readonly FaultKind[];
  /** Wall clocks are wrong by at most this, jumps included, except on one machine when `wildClock`. */
  readonly skewMs: number;
  readonly drift: number;
  readonly wildClock: boolean;
  readonly reorders: boolean;
  readonly latencyMs: number;
  readonly writeMs: number;
  /** A read of a few rows takes this long. */
  readonly readMs: number;
  readonly graceMs: number;
  /** What a log keeps: so little that whoever is away for a moment needs a snapshot. */
  readonly retention: Retention;
  readonly work: WorkProfile;
}

export interface Retention {
  readonly retainBytes: number;
  readonly retainEntries: number;
  readonly catchUpBytes: number;
}

export interface WorkProfile {
  readonly topics: number;
  readonly groups: number;
  readonly consumers: number;
  readonly producers: number;
  /** Mean time between two requests of one producer. */
  readonly produceEveryMs: number;
  /** How long a producer tries; one of these is drawn for each. */
  readonly patienceMs: readonly number[];
  readonly leaseMs: number;
  readonly dueWithinMs: number;
  /** Chances of what a consumer does with a message that it does not simply acknowledge. */
  readonly nack: number;
  readonly abandon: number;
  readonly extend: number;
  /** Chance that a message is cancelled some time after it was scheduled. */
  readonly cancel: number;
  /** Chance that several ask about a message and cancel it at once, around the time when it is handed out. */
  readonly crowd: number;
  /** Chance that a request is sent once more with its key, though its answer had come. */
  readonly repeat: number;
  /** Consumers that walk away from a receive while it waits. */
  readonly walkAway: number;
  readonly deleteGroup: boolean;
}

const everyFault: readonly FaultKind[] = [
  'kill',
  'killLeader',
  'powerOff',
  'powerOffAll',
  'vanish',
  'stop',
  'pause',
  'pauseLeader',
  'isolate',
  'isolateLeader',
  'halves',
  'oneWay',
  'ring',
  'lossy',
  'doubling',
  'clogged',
  'reset',
  'diskStall',
  'diskFailure',
  'diskFills',
  'disksFill',
  'bitFlip',
  'lostBlock',
  'wipe',
  'clockJump',
  'clientCut',
  'clientLoss',
];

export type ProfileName =
  | 'swarm'
  | 'kills'
  | 'takeover'
  | 'calm'
  | 'power'
  | 'clocks'
  | 'five'
  | 'slowDisks'
  | 'fullDisks'
  | 'directories'
  | 'members'
  | 'turmoil'
  | 'reads'
  | 'snapshots'
  | 'upgrade'
  | 'handOvers';
export const profileNames: readonly ProfileName[] = [
  'swarm',
  'kills',
  'takeover',
  'calm',
  'power',
  'clocks',
  'five',
  'slowDisks',
  'fullDisks',
  'directories',
  'members',
  'turmoil',
  'reads',
  'snapshots',
  'upgrade',
  'handOvers',
];

const memberFaults: readonly MemberFaultKind[] = ['transfer', 'grow', 'shrink', 'replace'];
const mostMachines = 5;

/** What may happen while members change. */
const aroundChanges: readonly FaultKind[] = [
  'kill',
  'stop',
  'killLeader',
  'powerOff',
  'powerOffAll',
  'isolate',
  'isolateLeader',
  'oneWay',
  'reset',
  'wipe',
  'bitFlip',
  'lostBlock',
];

/** What may happen while machines are upgraded. The first build does not look at how full its disk is. */
const aroundUpgrades: readonly FaultKind[] = [
  'kill',
  'killLeader',
  'powerOff',
  'powerOffAll',
  'vanish',
  'stop',
  'pause',
  'pauseLeader',
  'isolate',
  'isolateLeader',
  'halves',
  'oneWay',
  'lossy',
  'doubling',
  'reset',
  'diskStall',
  'clockJump',
  'clientLoss',
];

const lively: WorkProfile = {
  topics: 2,
  groups: 2,
  consumers: 2,
  producers: 2,
  produceEveryMs: 300,
  patienceMs: [400, 1_500, 300_000],
  leaseMs: 2_000,
  dueWithinMs: 3_000,
  nack: 0.15,
  abandon: 0.1,
  extend: 0.15,
  cancel: 0.2,
  crowd: 0.15,
  repeat: 0.2,
  walkAway: 0.1,
  deleteGroup: true,
};

/** Consumers that never walk away and leases that never run out: whatever is late or comes twice is the cluster's doing. */
const patient: WorkProfile = {
  ...lively,
  topics: 1,
  groups: 1,
  leaseMs: 60_000,
  nack: 0,
  abandon: 0,
  extend: 0,
  walkAway: 0,
  deleteGroup: false,
};

const profiles: Readonly<Record<ProfileName, (base: Profile, random: Random) => Profile>> = {
  swarm: (base, random) => {
    const drawn: Profile = {
      ...base,
      faults: everyFault.filter(() => random.chance(0.3)),
      wildClock: random.chance(0.15),
      nodes: random.chance(0.1) ? 5 : 3,
    };
    const change = memberFaults.filter(() => random.chance(0.5));
    return random.chance(0.25) ? withChanges(drawn, change) : drawn;
  },
  members: (base, random) => {
    const drawn: Profile = {
      ...base,
      nodes: random.pick([1, 2, 3, 3, 5]),
      faults: aroundChanges.filter(() => random.chance(0.4)),
      everyMs: random.int(200, 900),
    };
    return withChanges(drawn, memberFaults);
  },
  upgrade: (base, random) => ({
    ...base,
    firstBuild: true,
    nodes: random.pick([3, 3, 3, 5]),
    faults: ['upgrade', 'upgrade', ...aroundUpgrades.filter(() => random.chance(0.4))],
    everyMs: random.int(200, 1_200),
  }),
  five: (base, random) => ({ ...base, nodes: 5, faults: everyFault.filter(() => random.chance(0.3)) }),
  kills: (base, random) => ({
    ...base,
    faults: ['kill', 'killLeader', 'clientLoss'],
    everyMs: random.int(1_500, 5_000),
    work: patient,
  }),
  takeover: (base, random) => ({
    ...base,
    faults: ['killLeader', 'killLeader', 'kill'],
    everyMs: random.int(700, 2_500),
    graceMs: 1_500,
    skewMs: 0,
    work: { ...patient, leaseMs: 700, produceEveryMs: 150, repeat: 0 },
  }),
  slowDisks: (base, random) => ({
    ...base,
    nodes: random.pick([3, 5]),
    writeMs: random.pick([10, 40]),
    faults: ['kill', 'powerOff', 'powerOffAll', 'isolateLeader', 'halves', 'reset', 'diskStall'],
    everyMs: random.int(200, 800),
    reorders: true,
    latencyMs: 2,
  }),
  fullDisks: (base, random) => ({
    ...base,
    faults: ['diskFills', 'disksFill', 'disksFill', 'killLeader', 'kill'],
    everyMs: random.int(1_000, 2_500),
    // Enough to fill in seconds what a disk keeps for what goes on.
    work: { ...base.work, produceEveryMs: 80 },
  }),
  directories: (base, random) => ({
    ...base,
    faults: ['bitFlip', 'lostBlock', 'wipe', 'kill', 'isolateLeader'],
    everyMs: random.int(500, 1_500),
  }),
  power: (base, random) => ({
    ...base,
    faults: ['powerOff', 'powerOffAll', 'kill'],
    everyMs: random.int(400, 2_000),
  }),
  clocks: (base) => ({ ...base, faults: ['clockJump', 'killLeader', 'pauseLeader'], skewMs: 200, wildClock: true }),
  // Leaders come and go before what they began is on a majority: elections, truncations, late answers.
  turmoil: (base, random) => ({
    ...base,
    nodes: random.pick([3, 3, 5]),
    writeMs: random.pick([4, 15, 40]),
    faults: ['usurped', 'usurped', 'powerOff', 'isolateLeader', 'reset', 'diskStall', 'clogged'],
    everyMs: random.int(400, 1_200),
    reorders: true,
    latencyMs: 2,
    // Some give up right after a leader did: what it says of their messages is the last that they hear.
    work: { ...base.work, produceEveryMs: 90, patienceMs: [400, 650, 750, 900], crowd: 0, deleteGroup: false },
  }),
  // Many ask at once, all nodes, while leaders are cut off and stand still.
  reads: (base, random) => ({
    ...base,
    faults: ['isolateLeader', 'pauseLeader', 'killLeader', 'deafLeader', 'doubling', 'halves', 'clogged'],
    everyMs: random.int(500, 1_500),
    work: { ...base.work, topics: 1, groups: 1, crowd: 0.9, cancel: 0.3, repeat: 0, deleteGroup: false },
  }),
  // Nearly nothing is kept, so whoever was away for a moment is sent the state.
  snapshots: (base, random) => ({
    ...base,
    faults: ['kill', 'powerOff', 'isolate', 'isolate', 'killLeader', 'lossy', 'doubling'],
    everyMs: random.int(500, 1_500),
    retention: { retainBytes: 3_000, retainEntries: 12, catchUpBytes: 6_000 },
    work: { ...base.work, produceEveryMs: 150, crowd: 0 },
  }),
  // Nothing is wrong, but that one leader after the other is told to hand over.
  handOvers: (base, random) => ({
    ...base,
    faults: ['transfer'],
    everyMs: random.int(300, 1_000),
    skewMs: 0,
    drift: 0,
    work: { ...patient, produceEveryMs: 120, crowd: 0 },
  }),
  calm: (base) => ({ ...base, faults: [], skewMs: 0, drift: 0, work: { ...patient, nack: 0.1, extend: 0.1 } }),
};

/** One clock of one or of two is the judge, so none is wild. */
function withChanges(profile: Profile, changes: readonly MemberFaultKind[]): Profile {
  const faults = [...profile.faults, ...changes];
  return { ...profile, faults, spares: mostMachines - profile.nodes, wildClock: false };
}

/** Draws the profile of a seed. */
export function drawProfile(name: ProfileName, random: Random): Profile {
  const base: Profile = {
    name,
    nodes: 3,
    spares: 0,
    firstBuild: false,
    faultsMs: random.int(6_000, 14_000),
    everyMs: random.int(300, 2_500),
    faults: [],
    skewMs: random.chance(0.5) ? 0 : random.int(1, 400),
    drift: random.chance(0.5) ? 0 : 0.0005,
    wildClock: false,
    reorders: random.chance(0.5),
    latencyMs: random.chance(0.8) ? 0.3 : 8,
    writeMs: random.pick([0.3, 1, 4]),
    readMs: random.pick([0.05, 0.05, 6]),
    graceMs: 3_000,
    retention: { retainBytes: 12_000, retainEntries: 60, catchUpBytes: 24_000 },
    work: { ...lively, groups: random.int(1, 2), topics: random.int(1, 2), leaseMs: random.pick([800, 2_000, 8_000]) },
  };
  return profiles[name](base, random);
}

/** Most seeds are a swarm; some look at one thing closely. */
export function profileOfSeed(seed: number): ProfileName {
  const looks: Readonly<Record<number, ProfileName>> = {
    1: 'kills',
    2: 'snapshots',
    3: 'power',
    5: 'clocks',
    7: 'five',
    9: 'takeover',
    10: 'turmoil',
    11: 'slowDisks',
    12: 'handOvers',
    13: 'directories',
    15: 'calm',
    17: 'fullDisks',
    14: 'upgrade',
    18: 'reads',
    19: 'members',
  };
  return looks[seed % 20] ?? 'swarm';
}
