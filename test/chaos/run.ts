// The whole of a chaos run: nodes of the first build behind links, clients, an upgrade, faults and an operator side by side,
// then quiet until everything is delivered.
import { setTimeout as pause } from 'node:timers/promises';
import { ProcessCluster } from '../processes/cluster.ts';
import { type ClientContext, consumer, producer } from './clients.ts';
import { runFaults } from './faults.ts';
import { History, type HistoryEvent } from './history.ts';
import { untilAnswered } from './http.ts';
import { Links } from './links.ts';
import { operate } from './operator.ts';
import { seededRandom } from './random.ts';
import { upgrade } from './upgrade.ts';

const topic = 'chaos';
const groups = ['mailer', 'auditor'];
const producers = 4;
const consumersPerGroup = 3;
const drainMs = 120_000;
/** Little, so that whoever was away for seconds needs a snapshot. */
const logRetainBytes = 32 * 2 ** 10;

interface GroupSeen {
  readonly name: string;
  readonly acknowledged: number;
  readonly outstanding: number;
  readonly dead: number;
}

export interface ChaosSeen {
  readonly history: readonly HistoryEvent[];
  readonly faults: ReadonlyMap<string, number>;
  readonly operations: ReadonlyMap<string, number>;
  /** How often a member was sent the whole state. */
  readonly snapshots: number;
}

export interface ChaosOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Of the history; what the nodes said is kept beside it. */
  readonly path: string;
}

export async function runChaos(options: ChaosOptions): Promise<ChaosSeen> {
  const endMs = Date.now() + options.seconds * 1_000;
  const history = new History(options.path);
  let links: Links | undefined;
  await using cluster = await ProcessCluster.create({
    nodes: 3,
    spares: 2,
    peerAddress: (from, to, real) => links?.address(from, to) ?? real,
    flags: ['--log-retain-bytes', String(logRetainBytes)],
    onEndedByItself: (id, how) =>
      history.add({ kind: 'ownFault', atMs: Date.now(), what: `${id} ended by itself (${how})` }),
  });
  links = await Links.between(cluster.ids.map((id) => ({ id, peer: cluster.peer(id) })));
  try {
    return await run({ cluster, links, history, seed: options.seed, endMs });
  } finally {
    cluster.keepLogs(`${options.path}.logs`);
    await links.close();
  }
}

interface Run {
  readonly cluster: ProcessCluster;
  readonly links: Links;
  readonly history: History;
  readonly seed: number;
  readonly endMs: number;
}

async function run({ cluster, links, history, seed, endMs }: Run): Promise<ChaosSeen> {
  cluster.startAll('first');
  await cluster.leader();
  let next = 0;
  let stopping = false;
  let drained = false;
  const contextOf = (client: number): ClientContext => ({
    client,
    get nodes() {
      return cluster.members.map((id) => cluster.api(id));
    },
    topic,
    groups,
    history,
    random: seededRandom(seed * 1_000 + client),
    stopping: () => stopping,
    drained: () => drained,
    nextNumber: () => next++,
  });
  const producing = Array.from({ length: producers }, (_, at) => producer(contextOf(at + 1)));
  const consuming = groups.flatMap((group, at) =>
    Array.from({ length: consumersPerGroup }, (_, which) => consumer(contextOf(100 + 10 * at + which), group)),
  );
  const held = new Set<string>();
  const faultContext = { cluster, links, history, random: seededRandom(seed), held };
  await upgrade(faultContext);
  const [faults, operations] = await Promise.all([
    runFaults(faultContext, endMs),
    operate({ ...faultContext, random: seededRandom(seed * 1_000 + 500) }, endMs),
  ]);
  cluster.startAll();
  stopping = true;
  await Promise.all(producing);
  const nodes = cluster.members.map((id) => cluster.api(id));
  const drainedByMs = Date.now() + drainMs;
  while (Date.now() < drainedByMs && !(await allDone(nodes, history))) await pause(200);
  drained = true;
  await Promise.all(consuming);
  await cluster.caughtUp();
  history.add(await finalState(cluster, nodes, history));
  const snapshots = cluster.ids.reduce((sum, id) => sum + cluster.log(id).split('"raft.snapshot"').length - 1, 0);
  return { history: history.events, faults, operations, snapshots };
}

async function topicSeen(
  nodes: readonly string[],
  history: History,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const answer = await untilAnswered(nodes, seededRandom(0), () => ({ method: 'GET', path: `/v1/topics/${topic}` }), {
    withinMs: 2_000,
    giveUpMs: 10_000,
    history,
  });
  return answer?.status === 200 ? answer.json : undefined;
}

/** Nothing stands in the topic any more: every group is done with every message. */
async function allDone(nodes: readonly string[], history: History): Promise<boolean> {
  const seen = await topicSeen(nodes, history);
  return seen?.['stored'] === 0;
}

async function finalState(cluster: ProcessCluster, nodes: readonly string[], history: History): Promise<HistoryEvent> {
  const seen = await topicSeen(nodes, history);
  // State hashes are compared at one applied index: nothing is proposed any more, so all come to the same one.
  const hashes = await cluster.until('every node stands at one applied index', 20_000, async () => {
    const all = await Promise.all(cluster.members.map((id) => cluster.seenBy(id)));
    const same = all.every((one) => one !== undefined && one.applied === all[0]?.applied);
    return same ? all.map((one) => one?.stateHash ?? '') : undefined;
  });
  const counts = (seen?.['groups'] ?? []) as readonly GroupSeen[];
  return {
    kind: 'final',
    atMs: Date.now(),
    stateHashes: hashes,
    groups: counts.map(({ name, acknowledged, outstanding, dead }) => ({
      group: name,
      acknowledged,
      outstanding,
      dead,
    })),
    scheduled: Number(seen?.['scheduled']),
    cancelled: Number(seen?.['cancelled']),
    stopped: Number(seen?.['stopped']),
  };
}
