// What goes wrong, and how it is mended. Each kind of fault is one row: it happens to somebody now, and undoes itself
// later. A majority of the directories is never damaged: that much no cluster survives.

import { canLose, grow, replace, shrink, transfer } from './member-faults.ts';
import type { FaultKind } from './profile.ts';
import type { Random } from './random.ts';
import { upgrade, upgradeRest } from './upgrades.ts';
import type { Machine } from './world/machine.ts';
import { minFreeBytes, mostWildMs, type World } from './world/world.ts';

type Fault = (world: World, random: Random) => void;

/** How much a clogged link adds to a message at most. */
export const mostSlowMs = 1_500;

const anyMachine = (world: World, random: Random): Machine => random.pick(world.machines);
const leaderOrAny = (world: World, random: Random): Machine => world.leader() ?? anyMachine(world, random);

function restartLater(world: World, machine: Machine, random: Random): void {
  world.time.after(50 + random.exponential(1_500), () => machine.start());
}

function kill(world: World, machine: Machine, random: Random, how: { told: boolean; power: boolean }): void {
  if (!machine.running) return;
  machine.kill(how);
  restartLater(world, machine, random);
}

function pause(world: World, machine: Machine, ms: number): void {
  const { process } = machine;
  if (process === undefined || process.paused) return;
  world.trace.note(machine.id, 'stands still', Math.round(ms));
  process.pause();
  world.time.after(ms, () => {
    world.trace.note(machine.id, 'goes on');
    process.resume();
  });
}

/** Cuts every direction for which it says so. */
function cut(world: World, ms: number, separates: (from: string, to: string) => boolean, what: string): void {
  world.trace.note('network', what, Math.round(ms));
  const links = everyPair(world.pool)
    .filter(([from, to]) => separates(from, to))
    .map(([from, to]) => world.network.link(from, to));
  for (const link of links) link.cut = true;
  world.time.after(ms, () => {
    for (const link of links) link.cut = false;
    world.trace.note('network', 'mended after', what);
  });
}

/** Of those in service, or of all where that is one. */
const pairs = ({ machines, pool }: World): [string, string][] => everyPair(machines.length > 1 ? machines : pool);

function everyPair(machines: readonly Machine[]): [string, string][] {
  const ids = machines.map(({ id }) => id);
  return ids.flatMap((from) => ids.filter((to) => to !== from).map((to): [string, string] => [from, to]));
}

function isolate(world: World, machine: Machine, random: Random): void {
  cut(
    world,
    300 + random.exponential(2_000),
    (from, to) => from === machine.id || to === machine.id,
    `${machine.id} is cut off`,
  );
}

/** Whoever becomes leader is lost again before much of what it begins is on a majority. */
function usurp(world: World, random: Random): void {
  const untilMs = world.time.nowMs + 1_000 + random.exponential(2_000);
  const known = new Set<number>();
  const watch = (): void => {
    if (world.time.nowMs > Math.min(untilMs, world.profile.faultsMs)) return;
    const leader = world.leader();
    const term = leader?.member?.status().raft.term;
    if (leader !== undefined && term !== undefined && !known.has(term)) {
      known.add(term);
      world.time.after(random.exponential(30), () => lose(world, leader, random));
    }
    world.time.after(15, watch);
  };
  watch();
}

function lose(world: World, machine: Machine, random: Random): void {
  const chance = random.next();
  if (chance < 0.5) isolate(world, machine, random);
  else if (chance < 0.7) kill(world, machine, random, { told: true, power: false });
  else if (chance < 0.85) kill(world, machine, random, { told: false, power: true });
  else pause(world, machine, 200 + random.exponential(800));
}

/** Changes every link for a while. */
function spoil(
  world: World,
  random: Random,
  what: string,
  change: (link: ReturnType<World['network']['link']>, on: boolean) => void,
  oneLink: boolean,
): void {
  const ms = 500 + random.exponential(3_000);
  const all = pairs(world);
  const chosen = (oneLink ? [random.pick(all)] : all).map(([from, to]) => world.network.link(from, to));
  world.trace.note('network', what, Math.round(ms));
  for (const link of chosen) change(link, true);
  world.time.after(ms, () => {
    for (const link of chosen) change(link, false);
  });
}

/** Its directory loses something for good, if a majority keeps its own. */
function damage(world: World, random: Random, what: string, act: (machine: Machine) => boolean): void {
  const machine = anyMachine(world, random);
  if (machine.damaged !== undefined || !canLose(world, machine)) return;
  machine.kill({ told: true, power: false });
  machine.bury();
  if (act(machine)) {
    machine.damaged = what;
    world.trace.note(machine.id, 'its disk:', what);
  }
  restartLater(world, machine, random);
}

const faults: Readonly<Record<FaultKind, Fault>> = {
  kill: (world, random) => kill(world, anyMachine(world, random), random, { told: true, power: false }),
  killLeader: (world, random) => kill(world, leaderOrAny(world, random), random, { told: true, power: false }),
  powerOff: (world, random) => kill(world, anyMachine(world, random), random, { told: false, power: true }),
  powerOffAll: (world, random) => {
    for (const machine of world.machines) kill(world, machine, random, { told: false, power: true });
  },
  vanish: (world, random) => kill(world, leaderOrAny(world, random), random, { told: false, power: false }),
  stop: (world, random) => {
    const machine = random.chance(0.5) ? leaderOrAny(world, random) : anyMachine(world, random);
    machine.stop(() => restartLater(world, machine, random));
  },
  pause: (world, random) => pause(world, anyMachine(world, random), 20 + random.exponential(1_200)),
  pauseLeader: (world, random) => pause(world, leaderOrAny(world, random), 200 + random.exponential(1_500)),
  isolate: (world, random) => isolate(world, anyMachine(world, random), random),
  isolateLeader: (world, random) => isolate(world, leaderOrAny(world, random), random),
  halves: (world, random) => {
    const left = new Set(world.machines.filter(() => random.chance(0.5)).map(({ id }) => id));
    cut(
      world,
      300 + random.exponential(2_500),
      (from, to) => left.has(from) !== left.has(to),
      `halves: ${[...left].join(' ')}`,
    );
  },
  oneWay: (world, random) => {
    const [from, to] = random.pick(pairs(world));
    cut(world, 300 + random.exponential(2_500), (a, b) => a === from && b === to, `${from} does not reach ${to}`);
  },
  deafLeader: (world, random) => {
    const { id } = leaderOrAny(world, random);
    cut(world, 300 + random.exponential(2_500), (_, to) => to === id, `${id} hears nobody`);
  },
  ring: (world, random) => {
    const ids = world.machines.map(({ id }) => id);
    const near = (from: string, to: string): boolean =>
      [1, ids.length - 1].includes(Math.abs(ids.indexOf(from) - ids.indexOf(to)));
    const oneLost = random.pick(pairs(world));
    const separates = (from: string, to: string): boolean =>
      ids.length > 3 ? !near(from, to) : oneLost.includes(from) && oneLost.includes(to);
    cut(world, 300 + random.exponential(2_500), separates, 'a ring');
  },
  usurped: usurp,
  lossy: (world, random) => {
    const share = random.next() * 0.4;
    spoil(world, random, `loses ${share.toFixed(2)}`, (link, on) => (link.dropped = on ? share : 0), false);
  },
  doubling: (world, random) =>
    spoil(world, random, 'doubles messages', (link, on) => (link.doubled = on ? 0.3 : 0), false),
  clogged: (world, random) => {
    const slowMs = random.int(100, mostSlowMs);
    spoil(
      world,
      random,
      `a link slower by ${slowMs}`,
      (link, on) => (link.slowMs = on ? slowMs : 0),
      random.chance(0.7),
    );
  },
  reset: (world, random) => {
    const [a, b] = random.pick(pairs(world));
    world.trace.note('network', 'reset', a, b);
    world.network.reset(a, b);
  },
  diskStall: (world, random) => {
    const machine = leaderOrAny(world, random);
    const ms = random.int(100, 4_000);
    world.trace.note(machine.id, 'its disk stalls', ms);
    machine.disk.stallNextWrite(ms);
  },
  diskFailure: (world, random) => {
    const machine = anyMachine(world, random);
    if (!machine.running) return;
    world.trace.note(machine.id, 'its next write fails');
    machine.expectStop();
    machine.disk.failNextWrite();
    world.time.after(4_000 + random.exponential(1_000), () => machine.start());
  },
  diskFills: (world, random) => {
    const machine = leaderOrAny(world, random);
    machine.fillDisk(random.int(0, 2 * minFreeBytes), { alone: true });
    world.time.after(1_000 + random.exponential(3_000), () => {
      machine.makeRoom();
      machine.start();
    });
  },
  disksFill: (world, random) => {
    // About the mark, so that the last bytes are taken by what goes on.
    for (const machine of world.machines)
      machine.fillDisk(random.int(minFreeBytes, 1.5 * minFreeBytes), { alone: false });
    world.time.after(4_000 + random.exponential(3_000), () => {
      for (const machine of world.machines) machine.makeRoom();
    });
  },
  bitFlip: (world, random) =>
    damage(world, random, 'one bit flipped', (machine) => machine.disk.flipBit() !== undefined),
  lostBlock: (world, random) => damage(world, random, 'a block of its log lost', (machine) => machine.disk.loseBlock()),
  wipe: (world, random) =>
    damage(world, random, 'wiped', (machine) => {
      machine.disk.wipe();
      return true;
    }),
  clockJump: (world, random) => {
    const machine = anyMachine(world, random);
    const errorMs = (random.next() * 2 - 1) * (machine.wildClock ? mostWildMs : world.profile.skewMs);
    world.trace.note(machine.id, 'its clock is set, wrong by', Math.round(errorMs));
    machine.clock.set(errorMs);
  },
  transfer,
  grow,
  shrink,
  replace,
  upgrade,
  clientCut: (world, random) => {
    const link = world.requests.link(random.pick(world.machines).id);
    link.cut = true;
    world.time.after(300 + random.exponential(2_000), () => (link.cut = false));
  },
  clientLoss: (world, random) => {
    const lostRequests = random.next() * 0.3;
    const lostAnswers = random.next() * 0.5;
    for (const { id } of world.machines) Object.assign(world.requests.link(id), { lostRequests, lostAnswers });
    const ms = 500 + random.exponential(3_000);
    world.requests.losses.push({ fromMs: world.time.nowMs, untilMs: world.time.nowMs + ms });
    world.time.after(ms, () => {
      for (const { id } of world.machines) Object.assign(world.requests.link(id), { lostRequests: 0, lostAnswers: 0 });
    });
  },
};

/** Lets faults come until `faultsMs`. */
export function unleash(world: World): void {
  const random = world.random.fork('faults');
  const { faults: kinds, everyMs, faultsMs } = world.profile;
  if (kinds.length === 0) return;
  const next = (): void => {
    world.time.after(random.exponential(everyMs), () => {
      if (world.time.nowMs > faultsMs) return;
      faults[random.pick(kinds)](world, random);
      next();
    });
  };
  next();
}

/** Everything works from here on: what was cut, slow, still, dead or wrong is mended. */
export function mend(world: World): void {
  world.trace.note('world', 'is mended');
  upgradeRest(world);
  for (const [from, to] of everyPair(world.pool))
    Object.assign(world.network.link(from, to), { cut: false, slowMs: 0, dropped: 0, doubled: 0 });
  for (const machine of world.machines) {
    Object.assign(world.requests.link(machine.id), { cut: false, lostRequests: 0, lostAnswers: 0 });
    machine.process?.resume();
    machine.disk.mend();
    machine.makeRoom();
    if (machine.wildClock) machine.clock.set(0);
    machine.start();
  }
}
