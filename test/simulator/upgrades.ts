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

/**
 * When some member of the first build took itself for the leader. It answers reads as long as it does, without asking anybody:
 * after it stood still, what it says may be old.
 */
export class FirstBuildLeads {
  readonly #spans: { readonly fromMs: number; untilMs: number }[] = [];
  #leads = false;

  /** To be called after every event. */
  look({ machines, time }: World): void {
    const leads = machines.some(({ build, member }) => build === 'first' && member?.status().raft.role === 'leader');
    if (leads && !this.#leads) this.#spans.push({ fromMs: time.nowMs, untilMs: Number.POSITIVE_INFINITY });
    const last = this.#spans.at(-1);
    if (!leads && this.#leads && last !== undefined) last.untilMs = time.nowMs;
    this.#leads = leads;
  }

  during({ invokedMs, endedMs }: { readonly invokedMs: number; readonly endedMs: number }): boolean {
    return this.#spans.some(({ fromMs, untilMs }) => fromMs <= endedMs && invokedMs <= untilMs);
  }
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
