// One seed from beginning to end: faults, then none, then the questions.

import type { Member } from '@holdfast/server';
import type { Evidence } from './check/evidence.ts';
import { judge } from './check/index.ts';
import { jumpedTooSoon } from './check/jumped-too-soon.ts';
import {
  equalStateAtEqualIndex,
  type Lead,
  type LiveCheck,
  leadersAreAnswered,
  leadersHaveWhatWasCommitted,
  nothingGoesBack,
  oneLeaderATerm,
  type Sight,
  whoServesKnowsTheTime,
} from './check/live.ts';
import {
  membersChangeOneByOne,
  newVotersHaveNearlyEverything,
  nothingIsProposedWhileALeaderGoes,
  votersCommit,
  whoIsNamedLeadsNext,
} from './check/live-members.ts';
import { mend, mostSlowMs, unleash } from './faults.ts';
import { readLogs } from './logs.ts';
import { restoreMembers } from './member-faults.ts';
import { drawProfile, type Profile, type ProfileName } from './profile.ts';
import { seeded } from './random.ts';
import { FirstBuildLeads, versionRose } from './upgrades.ts';
import type { TopicCounts } from './work/client.ts';
import { Workload } from './work/workload.ts';
import type { Machine } from './world/machine.ts';
import { createWorld, mostWildMs, type World } from './world/world.ts';

export interface SeedOptions {
  readonly seed: number;
  readonly profile: ProfileName;
  readonly keepLines?: number;
  /** A run that goes beyond turns in a circle: the default is several times what the longest ones need. */
  readonly mostEvents?: number;
  /** For a hunt: whoever knows that a seed fails need not know how it ends. */
  readonly endsAtViolation?: boolean | undefined;
  readonly print?: ((line: string) => void) | undefined;
}

export interface SeedResult {
  readonly seed: number;
  readonly profile: Profile;
  readonly violations: readonly string[];
  readonly traceHash: string;
  readonly simulatedMs: number;
  readonly events: number;
  /** What happened, so that a clean run is not clean because nothing did. */
  readonly reached: Readonly<Record<string, number>>;
  /** Real time that the checks of the history took, by rule. */
  readonly checksMs: Readonly<Record<string, number>>;
  readonly lines: readonly string[];
}

/** From the end of the faults until a leader serves. */
const electionMs = 5_000;
/** Until the next leader serves, when one leaves by itself. */
const handOverMs = 1_000;
const lastWordsMs = 1_500;
/** As many appends may be under way to one member, and as many entries. */
const mostBehind = 64;
/** A look costs more than what is looked at; what is wrong with terms, indexes and hashes is still wrong a few steps later. */
const stride = 6;
type Raft = ReturnType<Member['status']>['raft'];

class Endless extends Error {}
class Known extends Error {}

export async function runSeed(options: SeedOptions): Promise<SeedResult> {
  const { seed, profile: name, keepLines = 0, print } = options;
  const profile = drawProfile(name, seeded(seed).fork('profile'));
  const world = createWorld({ seed, profile, keepLines, print });
  const stray = catchStray(world);
  const checksMs: Record<string, number> = {};
  try {
    await live(world, options, checksMs);
  } catch (error) {
    if (error instanceof Endless)
      world.violations.push(
        `a seed comes to its end: ${world.time.events} events after ${world.time.nowMs.toFixed(0)} ms`,
      );
    else if (!(error instanceof Known)) throw error;
  } finally {
    stray();
    world.requests.close();
  }
  return {
    seed,
    profile,
    violations: world.violations,
    traceHash: world.trace.hash(),
    simulatedMs: world.time.nowMs,
    events: world.time.events,
    // A run with no check at all shows nothing: whoever runs seeds sees how many were such.
    reached: { ...reachedBy(world), unjudged: Object.keys(checksMs).length === 0 ? 1 : 0 },
    checksMs,
    lines: world.trace.lines(),
  };
}

async function live(world: World, options: SeedOptions, tookMs: Record<string, number>): Promise<void> {
  const { mostEvents = 400_000, endsAtViolation = false } = options;
  const { profile, violations, history, time } = world;
  const hashes = new Map<number, string>();
  const watch = watcher(world, [
    oneLeaderATerm(),
    nothingGoesBack(),
    equalStateAtEqualIndex(hashes),
    leadersHaveWhatWasCommitted(),
    leadersAreAnswered(),
    whoServesKnowsTheTime(),
    votersCommit(),
    membersChangeOneByOne(),
    newVotersHaveNearlyEverything(mostBehind),
    nothingIsProposedWhileALeaderGoes(),
    ...(profile.name === 'handOvers' ? [whoIsNamedLeadsNext()] : []),
  ]);
  const oldLeads = new FirstBuildLeads();
  const workload = new Workload({
    profile: profile.work,
    random: world.random.fork('work'),
    history,
    client: (client, giveUpAfterMs) => world.client(client, giveUpAfterMs),
  });
  const look = (): void => {
    if (time.events > mostEvents) throw new Endless();
    watch();
    if (profile.firstBuild) oldLeads.look(world);
    if (endsAtViolation && violations.length > 0) throw new Known();
  };
  const run = (untilMs: number): Promise<void> => time.runUntil(untilMs, look);
  for (const machine of world.machines) machine.start();
  workload.start();
  unleash(world);
  await run(profile.faultsMs);
  mend(world);
  if (!(await restoreMembers(world, run))) violations.push(`a command of the operator ends: ${stuck(world)}`);
  const mendedMs = time.nowMs;
  workload.beDiligent();
  if (!(await servesInTime(world, run, mendedMs)))
    violations.push(`a leader serves within ${electionMs} ms of the last fault: none does`);
  await run(mendedMs + electionMs + lastWordsMs);
  workload.stopProducing();
  await settle(world, run, mendedMs, () => workload.hasPassingGroup);
  const counts = await countTopics(world, run);
  workload.stopConsuming();
  await run(time.nowMs + lastWordsMs);
  if (workload.failed !== undefined)
    violations.push(`no client meets anything but the errors of the table: ${workload.failed.stack ?? ''}`);
  if (world.operator.failed !== undefined)
    violations.push(`no operator meets anything but what the manual says: ${world.operator.failed.stack ?? ''}`);
  converged(world);
  versionRose(world);
  const log = await readLogs(world, hashes);
  if (jumpedTooSoon(log)) world.trace.note('world', 'is not judged by its history: cluster time jumped at version 1');
  else violations.push(...judge(evidenceOf(world, oldLeads, { log, counts, mendedMs }), tookMs));
}

/**
 * Does a leader serve at the end of `electionMs`? One that has served before may hand over at that very moment (its clock is
 * further from the others' than it may be): then the next one is waited for.
 */
async function servesInTime(
  world: Pick<World, 'leader'>,
  run: (untilMs: number) => Promise<void>,
  mendedMs: number,
): Promise<boolean> {
  const isServed = (): boolean => world.leader()?.member?.status().serving === true;
  const eachMs = 100;
  let wasServed = false;
  for (let ms = eachMs; ms <= electionMs; ms += eachMs) {
    await run(mendedMs + ms);
    wasServed ||= isServed();
  }
  if (wasServed && !isServed()) await run(mendedMs + electionMs + handOverMs);
  return isServed();
}

/** A command without an end, and whoever it waits for. */
function stuck({ operator, machines }: World): string {
  const seen = machines.map(({ id, leaving, stoppedBy }) => `${id}${leaving ? ' leaves' : ''} ${stoppedBy ?? ''}`);
  return `${operator.busyWith ?? 'replacing'} does not (${seen.join(', ')})`;
}

function evidenceOf(
  { profile, history, time, requests }: World,
  oldLeads: FirstBuildLeads,
  found: Pick<Evidence, 'log' | 'counts' | 'mendedMs'>,
): Evidence {
  const { work, skewMs, drift, writeMs, faults, wildClock } = profile;
  // No lease ends in such a run but by an acknowledgement.
  const patient = work.leaseMs >= 60_000 && work.abandon === 0 && work.nack === 0 && work.walkAway === 0;
  const looked = history.looked.filter((one) => !oldLeads.during(one));
  return {
    ...found,
    history: { ...history, looked },
    clientLosses: requests.losses,
    skewMs: skewMs + drift * time.nowMs + 5,
    clockLagMs: 100 + Math.max(wildClock ? mostWildMs : 0, faults.includes('clogged') ? mostSlowMs : 0),
    endedMs: time.nowMs,
    slackMs: 1_500 + 60 * writeMs,
    undisturbed: faults.length === 0 && work.walkAway === 0,
    acksReach: profile.name === 'takeover',
    patient,
  };
}

/** Looks at nodes on which things happened. A run that broke a rule once goes on, but says it once. */
function watcher(world: World, checks: readonly LiveCheck[]): () => void {
  const before = new Map<string, Sight>();
  const broken = new Set<LiveCheck>();
  return () => {
    for (const machine of world.machines) {
      if (machine.touched < stride) continue;
      machine.touched = 0;
      const sight = sightOf(machine);
      if (sight === undefined) continue;
      for (const check of checks) {
        const fault = check.see(sight, before.get(sight.id));
        if (fault === undefined || broken.has(check)) continue;
        broken.add(check);
        world.trace.note(sight.id, 'VIOLATION', check.says, fault);
        world.violations.push(`${check.says}: at ${(world.time.nowMs / 1_000).toFixed(4)} s ${fault}`);
      }
      before.set(sight.id, sight);
    }
  };
}

function sightOf(machine: Machine): Sight | undefined {
  const status = machine.member?.status();
  if (status === undefined) return undefined;
  const { role, term, commit, lastIndex, durableIndex } = status.raft;
  const isFirst = machine.build === 'first';
  const monotonicMs = machine.clock.monotonicMs();
  return {
    id: machine.id,
    life: machine.starts,
    role,
    term,
    commit,
    applied: status.raft.applied,
    lastIndex,
    durableIndex,
    stateHash: status.stateHash,
    clockMs: status.clockMs,
    monotonicMs,
    // One that stops closes its connections before it waits for its disk, and says until that answers that it leads.
    quorumSilentMs: machine.isOpen ? monotonicMs - status.raft.quorumHeardAtMs : 0,
    serves: status.serving,
    clocksKnown: status.skewMs.size,
    // The first build says neither who the members are nor what they have.
    leads: isFirst ? undefined : leadOf(status.raft),
  };
}

function leadOf({
  id,
  termStartIndex,
  configurationIndex,
  transferringTo,
  configuration,
  durableIndex,
  followers,
}: Raft): Lead | undefined {
  if (termStartIndex === undefined) return undefined;
  const voters = new Map(
    configuration.voters.map((voter) => [
      voter.id,
      voter.id === id ? durableIndex : (followers.get(voter.id)?.match ?? 0),
    ]),
  );
  return { termStartIndex, configurationIndex, transferringTo, voters };
}

/** Runs until every message is finished, or until that has taken too long. */
async function settle(
  world: World,
  run: (untilMs: number) => Promise<void>,
  mendedMs: number,
  isBusy: () => boolean,
): Promise<void> {
  const { dueWithinMs, leaseMs } = world.profile.work;
  const patienceMs = dueWithinMs + Math.min(2 * leaseMs, 30_000) + 20_000;
  const { history } = world;
  while (world.time.nowMs < mendedMs + patienceMs) {
    await run(world.time.nowMs + 500);
    const acknowledged = new Set(
      history.settled.filter(({ verb, result }) => verb === 'ack' && result === 'ok').map(({ receipt }) => receipt),
    );
    const finished = new Set(
      history.delivered.filter(({ receipt }) => acknowledged.has(receipt)).map(({ tag, group }) => `${tag} ${group}`),
    );
    const ended = new Set(
      history.cancelled.filter(({ verdict }) => verdict === 'cancelled' || verdict === 'stopped').map(({ tag }) => tag),
    );
    const groups = [...history.groups].map((group) => group.split('/'));
    const open = [...history.scheduled.values()].some(
      ({ tag, topic, outcome }) =>
        outcome === 'pending' ||
        (outcome === 'stored' &&
          !ended.has(tag) &&
          groups.some(([ofTopic, group]) => ofTopic === topic && !finished.has(`${tag} ${group}`))),
    );
    if (!open && !isBusy()) break;
  }
  // What nobody needs any longer is swept in steps, and a schedule whose outcome nobody knows is delivered, too.
  await run(world.time.nowMs + dueWithinMs + lastWordsMs);
}

async function countTopics(
  world: World,
  run: (untilMs: number) => Promise<void>,
): Promise<ReadonlyMap<string, TopicCounts>> {
  const counts = new Map<string, TopicCounts>();
  const client = world.client('counter', 3_000);
  const ask = async (topic: string): Promise<void> => {
    const count = await client.topic(topic);
    if (count === undefined) world.violations.push('a cluster without faults answers: it did not say its counts');
    else counts.set(topic, count);
  };
  for (let i = 1; i <= world.profile.work.topics; i++) void ask(`t${i}`);
  for (let tries = 0; tries < 20 && counts.size < world.profile.work.topics; tries++) await run(world.time.nowMs + 200);
  return counts;
}

/** Every member whose disk was never damaged has the same state as the others, once nothing is left to do. */
function converged(world: World): void {
  const sights = world.machines
    .filter(({ damaged }) => damaged === undefined)
    .map((machine) => ({ machine, sight: sightOf(machine) }));
  const lowest = Math.min(...sights.map(({ sight }) => sight?.applied ?? -1));
  const highest = Math.max(...sights.map(({ sight }) => sight?.applied ?? -1));
  // Heartbeats and housekeeping go on, so the last few entries may be on their way.
  if (lowest < highest - 20) {
    const all = sights.map(
      ({ machine, sight }) => `${machine.id} ${sight === undefined ? 'does not run' : `at ${sight.applied}`}`,
    );
    world.violations.push(`all nodes catch up once the faults are over: ${all.join(', ')}`);
  }
}

function catchStray(world: World): () => void {
  const onRejection = (error: unknown): void => {
    world.violations.push(
      `no promise is left without a handler: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  };
  process.on('unhandledRejection', onRejection);
  return () => process.off('unhandledRejection', onRejection);
}

function reachedBy({ history, network, pool, profile, operator }: World): Readonly<Record<string, number>> {
  const outcomes = (wanted: string): number =>
    [...history.scheduled.values()].filter(({ outcome }) => outcome === wanted).length;
  const verdicts = (wanted: string): number => history.cancelled.filter(({ verdict }) => verdict === wanted).length;
  return {
    stored: outcomes('stored'),
    unknown: outcomes('unknown'),
    looked: history.looked.length,
    delivered: history.delivered.length,
    again: history.delivered.filter(({ attempt }) => attempt > 1).length,
    cancelled: verdicts('cancelled'),
    stopped: verdicts('stopped'),
    leased: verdicts('leased'),
    diskLow: history.failures.get('HF_DISK_LOW') ?? 0,
    starts: pool.reduce((sum, { starts }) => sum + starts, 0) - profile.nodes,
    ...operator.done,
    upgraded: pool.filter(({ upgradedAtMs = profile.faultsMs }) => upgradedAtMs < profile.faultsMs).length,
    lostMessages: network.lost,
    installed: pool.reduce((sum, { member }) => sum + (member?.status().raft.snapshots.installed ?? 0), 0),
  };
}
