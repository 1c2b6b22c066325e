// What changes who the members are: by the operator, through the API. It never leaves a cluster without a majority for good.
import type { Random } from './random.ts';
import type { Machine } from './world/machine.ts';
import type { World } from './world/world.ts';

/** Who votes, as far as anybody who runs knows. With the operator at rest no change is under way. */
function voters(world: World): readonly Machine[] {
  const { spares } = world.profile;
  if (spares === 0) return world.machines;
  const [newest] = world.machines
    .filter(({ damaged }) => damaged === undefined)
    .flatMap(({ member }) => member?.status().raft ?? [])
    .sort((a, b) => b.configurationIndex - a.configurationIndex);
  return (newest?.configuration.voters ?? []).map(({ id }) => world.machine(id));
}

const isSound = (machine: Machine): boolean => machine.damaged === undefined;
const hasMajority = (sound: readonly Machine[], of: readonly Machine[]): boolean =>
  sound.length > Math.floor(of.length / 2);

/**
 * Whether this directory may be lost for good: a majority keeps its own. Formation needs everybody, and so does the version
 * in which members can be replaced.
 */
export function canLose(world: World, machine: Machine): boolean {
  if (world.operator.busyWith !== undefined || !canReplace(world)) return false;
  const all = voters(world);
  const founded = all.filter(({ member }) => member?.status().clusterId !== undefined).length;
  if (founded < all.length - 1 || !all.includes(machine)) return false;
  return hasMajority(
    all.filter((other) => isSound(other) && other !== machine),
    all,
  );
}

const canReplace = (world: World): boolean =>
  world.machines.some(({ member }) => (member?.status().activeVersion ?? 0) >= 2);

const isReady = (world: World): boolean =>
  world.operator.busyWith === undefined && world.time.nowMs > 3_000 && voters(world).length > 0;

export function transfer(world: World): void {
  if (isReady(world)) world.operator.transfer();
}

export function grow(world: World, random: Random): void {
  const spares = world.pool.filter(({ inService }) => !inService);
  if (spares.length > 0 && isReady(world)) world.operator.add(random.pick(spares));
}

export function shrink(world: World, random: Random): void {
  if (!isReady(world)) return;
  const all = voters(world);
  const leader = world.leader();
  const machine = leader !== undefined && random.chance(0.4) ? leader : random.pick(all);
  const rest = all.filter((other) => other !== machine);
  if (rest.length === all.length || rest.length === 0) return;
  if (hasMajority(rest.filter(isSound), rest)) world.operator.remove(machine);
}

/** A damaged one, or one that is lost at this moment. */
export function replace(world: World, random: Random): void {
  if (!isReady(world)) return;
  const broken = world.machines.filter((machine) => !isSound(machine));
  const machine = broken.length > 0 ? random.pick(broken) : random.pick(world.machines);
  if (isSound(machine) && !canLose(world, machine)) return;
  if (isSound(machine)) {
    machine.kill({ told: true, power: false });
    machine.bury();
    machine.damaged = 'lost for good';
    machine.disk.wipe();
  }
  const spares = world.pool.filter(({ inService }) => !inService);
  world.operator.replace(machine, spares.length > 0 && random.chance(0.5) ? random.pick(spares) : machine);
}

/** The operator comes to an end, and every machine is a sound member. @returns whether it did, in the time that it had */
export async function restoreMembers(world: World, run: (untilMs: number) => Promise<void>): Promise<boolean> {
  const { operator, time, random, profile } = world;
  const endsAtMs = time.nowMs + commandsMs;
  while (time.nowMs < endsAtMs) {
    if (operator.busyWith === undefined) {
      if (!profile.faults.includes('replace') || world.machines.every(isSound)) return true;
      replace(world, random.fork(`replace ${time.nowMs}`));
    }
    await run(time.nowMs + 200);
  }
  return false;
}

/** Of a command that was under way, and of one or two replacements after it. */
const commandsMs = 30_000;
