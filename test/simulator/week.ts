// Days of simulated time under constant load: what was acknowledged is delivered, hour by hour, and what the cluster holds on
// its disks and in memory is no more on the last day than on the second, and no more in the evening than in the morning.
//
// A message every 30 s, each due within minutes. In the first hour of a day the operator hands leadership over, and then
// the leader loses its power and is away until the others have compacted their logs: it is sent the state. From then on
// one leads for 23 hours, since whatever a leader piles up goes with its leadership: the evening shows it. The first machine
// runs on through all of it, since whatever a process piles up goes with the process: the days show it.
//
// Ticks and heartbeats are 200 times slower than elsewhere: at 50 ms the heartbeats alone would cost a day of real time. What
// is kept for a while on purpose (`keeps`, and the profile's retention of the log) is full before the second day begins.
import type { Evidence } from './check/evidence.ts';
import { nothingAcknowledgedIsLost } from './check/history/nothing-acknowledged-is-lost.ts';
import { nothingIsEarly } from './check/history/nothing-is-early.ts';
import { theFirstAnswerStands } from './check/history/the-first-answer-stands.ts';
import { type Gauges, gaugesOf, grown, highest, memoryBytes } from './gauges.ts';
import { transfer } from './member-faults.ts';
import { drawProfile, type Profile } from './profile.ts';
import { type Random, seeded } from './random.ts';
import type { Client } from './work/client.ts';
import { fileBytes } from './world/disk.ts';
import type { Machine } from './world/machine.ts';
import { createWorld, type Pace, type World } from './world/world.ts';

export interface WeekOptions {
  readonly seed: number;
  /** At least `fewestDays`. */
  readonly days: number;
  /** Gets a line for each day. */
  readonly print: (line: string) => void;
}

export interface WeekResult {
  readonly violations: readonly string[];
  readonly simulatedMs: number;
  readonly events: number;
}

/** The second day is compared with the last one. */
export const fewestDays = 3;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const lookEveryMs = 10 * minuteMs;
const looksAnHour = hourMs / lookEveryMs;
const looksADay = dayMs / lookEveryMs;
/** Whoever lost its power is back by then, and what it held before is swept. */
const morningHours = [2, 8] as const;
const eveningHours = [18, 24] as const;
/** Mean time between two messages. */
const everyMs = 30_000;
const dueWithinMs = 10 * minuteMs;
/** A receive that waited longer would have its client ask five times a second who leads: most of what a day costs. */
const waitMs = 200;
const receiveEveryMs = 15_000;
/** By then whatever was scheduled before is done, whoever led meanwhile. */
const closedAfterMs = 45 * minuteMs;
const awayMs = 30 * minuteMs;
const place = { topic: 't1', group: 'g1' };

const pace: Pace = {
  timing: { tickMs: 5_000, heartbeatMs: 10_000, electionMinMs: 50_000, electionMaxMs: 100_000, fastElectionMs: 10_000 },
  silenceMs: 150_000,
  connectEveryMs: 10_000,
  keepsLogs: false,
  keeps: { writeBufferBytes: fileBytes, endedKeepMs: 6 * hourMs },
};

/** The most that was seen of each gauge, and within which hours. */
interface Day {
  readonly whole: Gauges;
  readonly morning: Gauges;
  readonly evening: Gauges;
}

export async function liveForDays({ seed, days, print }: WeekOptions): Promise<WeekResult> {
  const profile: Profile = {
    ...drawProfile('calm', seeded(seed)),
    faults: [],
    latencyMs: 0.3,
    writeMs: 1,
    readMs: 0.05,
  };
  const world = createWorld({ seed, profile, keepLines: 0, pace });
  const { time, violations, random, operator } = world;
  for (const machine of world.machines) machine.start();
  work(world, random.fork('load'));
  let second: Day = { whole: {}, morning: {}, evening: {} };
  let last = second;
  for (let day = 1; day <= days; day++) {
    last = await liveOneDay(world, day, print);
    if (day === 2) second = last;
  }
  if (operator.failed !== undefined) violations.push(`no operator meets anything but the manual: ${operator.failed}`);
  for (const [name, value] of Object.entries(last.whole))
    print(
      `${name}: at most ${second.whole[name] ?? 0} on day 2, ${value} on day ${days}; of that ${last.morning[name] ?? 0} in the morning, ${last.evening[name] ?? 0} in the evening`,
    );
  const growth = (from: Gauges, to: Gauges, when: string): void =>
    void violations.push(...grown(from, to).map((what) => `${when} ${what}`));
  growth(second.whole, last.whole, `from day 2 to day ${days}`);
  growth(last.morning, last.evening, `from the morning to the evening of day ${days}`);
  return { violations, simulatedMs: time.nowMs, events: time.events };
}

async function liveOneDay(world: World, day: number, print: (line: string) => void): Promise<Day> {
  const { time, violations, machines } = world;
  const looks: Gauges[] = [];
  const leaders = new Set<string>();
  let away: Machine | undefined;
  let delivered = 0;
  for (let look = 1; look <= looksADay; look++) {
    // Once is enough, unless it led to the one that is never restarted.
    if (look === 2 || (look === 3 && world.leader() === machines[0])) transfer(world);
    if (look === 4) away = loseLeader(world);
    await time.runUntil((day - 1) * dayMs + look * lookEveryMs, () => {});
    const leader = world.leader();
    if (leader !== undefined) leaders.add(`${leader.id} in ${leader.member?.status().raft.term ?? 0}`);
    const isHour = look % looksAnHour === 0;
    if (isHour) delivered += closeBooks(world, day);
    looks.push(highest([...machines.map(gaugesOf), isHour ? { 'memory bytes': memoryBytes() } : {}]));
  }
  violations.push(...agreed(world, day));
  if (leaders.size < 3) violations.push(`day ${day}: leadership changes twice a day: it did not`);
  if (away === undefined || away === machines[0]) violations.push(`day ${day}: a leader loses its power: none did`);
  if ((away?.member?.status().raft.snapshots.installed ?? 0) === 0)
    violations.push(`day ${day}: who was away is sent the state: nobody was`);
  if (delivered < (0.5 * dayMs) / everyMs) violations.push(`day ${day}: only ${delivered} were delivered`);
  const within = ([from, to]: readonly [number, number]): Gauges =>
    highest(looks.slice(from * looksAnHour, to * looksAnHour));
  const seen: Day = { whole: highest(looks), morning: within(morningHours), evening: within(eveningHours) };
  const { 'disk bytes': disk, 'memory bytes': memory } = seen.whole;
  print(
    `day ${day}: ${delivered} delivered, ${leaders.size - 1} leader changes, ${disk} disk bytes, ${memory} memory bytes`,
  );
  return seen;
}

/** @returns who led */
function loseLeader(world: World): Machine | undefined {
  const leader = world.leader();
  leader?.kill({ told: true, power: true });
  world.time.after(awayMs, () => leader?.start());
  return leader;
}

/** One producer, two consumers, for ever. */
function work(world: World, random: Random): void {
  const { violations } = world;
  const run = (act: () => Promise<void>): void => {
    act().catch((error: unknown) => violations.push(`no client meets anything but the table: ${String(error)}`));
  };
  run(async () => {
    const client = world.client('producer', 300_000);
    while (!(await client.createGroup(place.topic, place.group, 'earliest'))) await client.pause(1_000);
    world.history.groups.add(`${place.topic}/${place.group}`);
    for (let n = 1; ; n++) {
      await client.pause(random.exponential(everyMs));
      const due = { atMs: client.nowMs + random.int(0, dueWithinMs) };
      run(() => one(client, random, `m${n}`, due));
    }
  });
  for (const name of ['c1', 'c2']) run(() => consume(world.client(name, 300_000), random.fork(name)));
}

async function one(client: Client, random: Random, tag: string, due: { readonly atMs: number }): Promise<void> {
  const key = client.token();
  const [id] = (await client.schedule(place.topic, [{ tag, due }], key)) ?? [];
  if (random.chance(0.1)) await client.schedule(place.topic, [{ tag, due }], key);
  if (id === undefined || !random.chance(0.1)) return;
  await client.pause(random.exponential(minuteMs));
  await client.cancel(place.topic, tag, id, undefined);
}

async function consume(client: Client, random: Random): Promise<void> {
  for (;;) {
    const want = { max: 10, leaseMs: minuteMs, waitMs, receiveId: client.token(), repeated: false };
    const deliveries = await client.receive(place, want);
    if (deliveries.length === 0) await client.pause(receiveEveryMs);
    else if (random.chance(0.05)) await client.settle('nack', place, deliveries, random.int(0, 5_000));
    else await client.settle('ack', place, deliveries, undefined);
  }
}

/** What is over is judged, and forgotten. @returns how many deliveries that was */
function closeBooks({ history, time, violations }: World, day: number): number {
  const isClosed = ({ invokedMs }: { readonly invokedMs: number }): boolean => invokedMs < time.nowMs - closedAfterMs;
  const scheduled = new Map([...history.scheduled].filter(([, record]) => isClosed(record)));
  const delivered = history.delivered.filter(({ tag }) => scheduled.has(tag));
  const evidence: Evidence = {
    history: { ...history, scheduled, delivered },
    log: [],
    counts: new Map(),
    skewMs: 5,
    clockLagMs: 2 * pace.timing.heartbeatMs,
    mendedMs: 0,
    clientLosses: [],
    endedMs: time.nowMs,
    slackMs: 0,
    patient: false,
    undisturbed: false,
    acksReach: false,
  };
  for (const check of [nothingAcknowledgedIsLost, nothingIsEarly, theFirstAnswerStands])
    for (const fault of check.find(evidence).slice(0, 3)) violations.push(`day ${day}: ${check.says}: ${fault}`);
  const receipts = new Set(delivered.map(({ receipt }) => receipt));
  const keep = <T>(list: T[], isKept: (item: T) => boolean): void =>
    void list.splice(0, list.length, ...list.filter(isKept));
  for (const tag of scheduled.keys()) history.scheduled.delete(tag);
  keep(history.settled, ({ receipt }) => !receipts.has(receipt));
  keep(history.delivered, ({ tag }) => !scheduled.has(tag));
  keep(history.cancelled, ({ tag }) => !scheduled.has(tag));
  keep(history.keyed, (answer) => !isClosed(answer));
  // Nothing that is judged here asks for them.
  history.emptyReceives.length = 0;
  return delivered.length;
}

/** Whoever has applied the same has the same state. */
function agreed(world: World, day: number): readonly string[] {
  const states = new Map<number, string>();
  return world.machines.flatMap(({ id, member }) => {
    const status = member?.status();
    if (status === undefined) return [`day ${day}: ${id} runs: it does not`];
    const known = states.get(status.raft.applied) ?? status.stateHash;
    states.set(status.raft.applied, known);
    return known === status.stateHash ? [] : [`day ${day}: ${id} has another state at index ${status.raft.applied}`];
  });
}
