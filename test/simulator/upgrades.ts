// A rolling upgrade: machines that began with the first build are restarted, one by one, with the present one.
import type { Random } from './random.ts';
import type { Machine } from './world/machine.ts';
import type { World } from './world/world.ts';

/** One of those that are left; nobody knows which one somebody takes first. */
export function upgrade(world: World, random: Random): void {
  const old = world.machines.filter(({ build }) => build === 'first');
  if (old.length > 0) restart(world, random.pick(old), random.exponential(500));
}

/** The faults are over, and those that are left come last. */
export function upgradeRest(world: World): void {
  for (const machine of world.machines) if (machine.build === 'first') restart(world, machine, 0);
}

function restart(world: World, machine: Machine, downMs: number): void {
  const early = world.machines.filter(({ member }) => (member?.status().activeVersion ?? 1) > 1);
  if (early.length > 0)
    world.violations.push(
      `what a member does not understand is used once it is gone: ${machine.id} is of the first build, and ${early.map(({ id }) => id).join(', ')} went on`,
    );
  machine.kill({ told: true, power: false });
  machine.upgrade();
  world.time.after(downMs, () => machine.start());
}

/** Asked when a run is over. */
export function versionRose({ machines, violations }: World): void {
  // One whose directory was lost before all knew it, and whom nobody replaces, never says that it knows it.
  if (machines.some(({ damaged }) => damaged !== undefined)) return;
  for (const { id, member } of machines) {
    const version = member?.status().activeVersion;
    if (version !== 2) violations.push(`the active version rises once all members know it: at ${id} it is ${version}`);
  }
}
