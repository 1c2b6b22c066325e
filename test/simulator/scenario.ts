// Cluster stories as text: who does what at which time, and what must be seen. One line a step, read from top to bottom.
//
//   nodes 3                                   how many; they start at 0s
//   consumer c1 [lease 30s]                   receives from the one group, and acknowledges at once
//   schedule m1 due 10s                       true time
//   at 9.9s pause leader                      also: resume, kill, power off, start, isolate, cut A>B, mend; names, leader, follower, it, all
//   at 9s clock all -4s                       wall clocks are wrong by this from now on
//   at 9s stall leader 4s                     the next write takes so long
//   at 9s fill all                            disks fill to just below the mark; make room on all
//   until 20s
//   expect m1 delivered once, not before 10s, by 11.5s
//   expect m1 never delivered                 expect m1 delivered 2 times
//   expect m2 refused HF_DISK_LOW             expect m1 acknowledged
//   expect a leader, not it                   expect the same state everywhere
//   expect somebody said clock.behind         a line of the node's log, by now
import { mend } from './faults.ts';
import { drawProfile, type Profile } from './profile.ts';
import { seeded } from './random.ts';
import type { Client } from './work/client.ts';
import type { Machine } from './world/machine.ts';
import { createWorld, minFreeBytes, type World } from './world/world.ts';

interface Stage {
  readonly world: World;
  readonly client: Client;
  /** Who was acted on last. */
  it: readonly Machine[];
  /** What was not as expected. */
  readonly faults: string[];
  /** What happened on any machine, events of the nodes' logs among it. */
  readonly said: ReadonlySet<string>;
}

type Step = (stage: Stage, words: readonly string[]) => void | Promise<void>;

const where = { topic: 'stories', group: 'readers' };

function trueMs(text: string | undefined): number {
  const seconds = Number(/^([\d.]+)s$/.exec(text ?? '')?.[1] ?? Number.NaN);
  // Nothing is before or after what is no number: the line would hold whatever happens.
  if (Number.isNaN(seconds)) throw new Error(`a time is written as 9.5s, and not as ${text}`);
  return seconds * 1_000;
}

/** @returns the machines that a word means */
function machines({ world, it }: Stage, word: string): readonly Machine[] {
  if (word === 'all') return world.machines;
  if (word === 'it') return it;
  const leader = world.leader();
  if (word === 'leader') return leader === undefined ? [] : [leader];
  if (word === 'follower') return world.machines.filter((machine) => machine !== leader && machine.running).slice(0, 1);
  return [world.machine(word)];
}

const acts: readonly [pattern: RegExp, act: (stage: Stage, machine: Machine, how: string) => void][] = [
  [/^pause (\w+)$/, (_, machine) => machine.process?.pause()],
  [/^resume (\w+)$/, (_, machine) => machine.process?.resume()],
  [/^kill (\w+)$/, (_, machine) => machine.kill({ told: true, power: false })],
  [/^power off (\w+)$/, (_, machine) => machine.kill({ told: false, power: true })],
  [/^start (\w+)$/, (_, machine) => machine.start()],
  [/^stall (\w+) ([\d.]+)s$/, (_, machine, seconds) => machine.disk.stallNextWrite(Number(seconds) * 1_000)],
  [/^fill (\w+)$/, (_, machine) => machine.fillDisk(minFreeBytes - 1, { alone: false })],
  [/^make room on (\w+)$/, (_, machine) => machine.makeRoom()],
  [/^clock (\w+) ([+-]?[\d.]+)s$/, (_, machine, seconds) => machine.clock.set(Number(seconds) * 1_000)],
  [/^isolate (\w+)$/, ({ world }, machine) => setLinks(world, (from, to) => from === machine.id || to === machine.id)],
];

function setLinks(world: World, cut: (from: string, to: string) => boolean): void {
  for (const { id: from } of world.machines) {
    for (const { id: to } of world.machines) if (from !== to && cut(from, to)) world.network.link(from, to).cut = true;
  }
}

function act(stage: Stage, text: string): void {
  const oneWay = /^cut (\w+)>(\w+)$/.exec(text);
  if (oneWay !== null) return setLinks(stage.world, (from, to) => from === oneWay[1] && to === oneWay[2]);
  if (text === 'mend') return mend(stage.world);
  for (const [pattern, run] of acts) {
    const [, who, how = ''] = pattern.exec(text) ?? [];
    if (who === undefined) continue;
    stage.it = machines(stage, who);
    if (stage.it.length === 0) throw new Error(`nobody is there to ${text}`);
    for (const machine of stage.it) run(stage, machine, how);
    return;
  }
  throw new Error(`nobody knows how to ${text}`);
}

/** Receives for ever, and acknowledges what it gets. */
async function consume(client: Client, leaseMs: number): Promise<void> {
  for (;;) {
    const want = { max: 10, leaseMs, waitMs: 1_000, receiveId: client.token(), repeated: false };
    const deliveries = await client.receive(where, want);
    if (deliveries.length > 0) await client.settle('ack', where, deliveries, undefined);
    else await client.pause(5);
  }
}

function expectation(stage: Stage, text: string): void {
  const { world, it, faults } = stage;
  const say = (what: string): number => faults.push(`expected ${text}: ${what}`);
  const [, tag = '', fate, code = ''] = /^(\w+) (refused|acknowledged)(?: (\w+))?$/.exec(text) ?? [];
  if (fate !== undefined) {
    const isSo = fate === 'refused' ? isRefused(world, tag, code) : isAcknowledged(world, tag);
    return void (isSo || say('it was not'));
  }
  const event = /^somebody said (\S+)$/.exec(text)?.[1];
  if (event !== undefined) return void (stage.said.has(event) || say('nobody did'));
  const delivery = /^(\w+) (?:never delivered|delivered (?:(once)|(\d+) times))(.*)$/.exec(text);
  if (delivery !== null) {
    const [, tag, once, times, rest = ''] = delivery;
    const got = world.history.delivered.filter((one) => one.tag === tag);
    const wanted = once === undefined ? Number(times ?? 0) : 1;
    if (got.length !== wanted) return void say(`it was delivered ${got.length} times`);
    const first = got[0]?.atMs ?? 0;
    const bounds = /^(?:, not before ([^\s,]+))?(?:, by (\S+))?$/.exec(rest);
    if (bounds === null) throw new Error(`nobody knows how to expect ${text}`);
    const [, notBefore = '0s', by] = bounds;
    if (first < trueMs(notBefore) || (by !== undefined && first > trueMs(by)))
      say(`it was delivered at ${(first / 1_000).toFixed(3)}s`);
    return;
  }
  if (text.startsWith('a leader')) {
    const leader = world.leader();
    if (leader?.member?.status().serving !== true) say('nobody leads and serves');
    else if (text.endsWith('not it') && it.includes(leader)) say(`${leader.id} leads`);
    return;
  }
  if (text === 'the same state everywhere') {
    const states = world.machines.map(
      ({ id, member }) =>
        `${id} ${member?.status().raft.applied ?? 'down'} ${member?.status().stateHash.slice(0, 8) ?? ''}`,
    );
    if (new Set(states.map((state) => state.replace(/^\w+ /, ''))).size !== 1) say(states.join(', '));
    return;
  }
  throw new Error(`nobody knows how to expect ${text}`);
}

const isRefused = ({ history }: World, tag: string, code: string): boolean =>
  history.scheduled.get(tag)?.outcome === 'refused' && (history.failures.get(code) ?? 0) > 0;

function isAcknowledged({ history }: World, tag: string): boolean {
  const receipts = new Set(history.delivered.filter((one) => one.tag === tag).map(({ receipt }) => receipt));
  return history.settled.some(
    ({ verb, receipt, result }) => verb === 'ack' && result === 'ok' && receipts.has(receipt),
  );
}

const steps: Readonly<Record<string, Step>> = {
  consumer: ({ world }, [name = 'c1', , lease]) =>
    void consume(world.client(name, 300_000), lease === undefined ? 30_000 : trueMs(lease)),
  schedule: ({ world, client }, [tag = '', , due]) =>
    void client.schedule(where.topic, [{ tag, due: { atMs: trueMs(due) } }], `key-${tag}-${world.time.nowMs}`),
  at: async (stage, [time, ...action]) => {
    await stage.world.time.runUntil(trueMs(time), () => {});
    act(stage, action.join(' '));
  },
  until: ({ world }, [time]) => world.time.runUntil(trueMs(time), () => {}),
};

/** @returns what was not as expected; empty when the story went as told */
export async function tell(story: string, seed: number, print?: (line: string) => void): Promise<readonly string[]> {
  const lines = story
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
  const nodes = Number(/^nodes (\d)$/.exec(lines[0] ?? '')?.[1] ?? 3);
  const profile: Profile = { ...drawProfile('calm', seeded(seed)), nodes };
  const said = new Set<string>();
  const hear = (line: string): void => {
    said.add(line.trim().split(/\s+/)[2] ?? '');
    print?.(line);
  };
  const world = createWorld({ seed, profile, keepLines: 0, print: hear });
  const stage: Stage = { world, client: world.client('teller', 60_000), it: [], faults: [], said };
  for (const machine of world.machines) machine.start();
  void stage.client.createGroup(where.topic, where.group, 'earliest');
  await world.time.runUntil(2_000, () => {});
  for (const line of lines.slice(1)) {
    const [verb = '', ...words] = line.split(/\s+/);
    if (verb === 'expect') expectation(stage, words.join(' '));
    else if (steps[verb] === undefined) throw new Error(`a line begins with what nobody knows: ${line}`);
    else await steps[verb](stage, words);
  }
  return [...stage.faults, ...world.violations];
}
