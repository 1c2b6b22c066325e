// The whole of a chaos run: nodes behind links, clients, faults, then quiet until everything is delivered.
import { ProcessCluster } from '../processes/cluster.ts';
import { type ClientContext, consumer, producer } from './clients.ts';
import { runFaults } from './faults.ts';
import { History, type HistoryEvent } from './history.ts';
import { untilAnswered } from './http.ts';
import { Link } from './proxy.ts';
import { seededRandom } from './random.ts';

const topic = 'chaos';
const groups = ['mailer', 'auditor'];
const producers = 4;
const consumersPerGroup = 3;
const drainMs = 120_000;

interface GroupSeen {
  readonly name: string;
  readonly acknowledged: number;
  readonly outstanding: number;
  readonly dead: number;
}

export async function runChaos(options: {
  readonly seconds: number;
  readonly seed: number;
  readonly path: string;
}): Promise<{ history: readonly HistoryEvent[]; faults: ReadonlyMap<string, number> }> {
  const history = new History(options.path);
  const links = new Map<string, Link>();
  const ports = new Map<string, number>();
  await using cluster = await ProcessCluster.create({
    nodes: 3,
    peerAddress: (from, to) => `127.0.0.1:${ports.get(`${from}>${to}`)}`,
  });
  for (const from of cluster.ids) {
    for (const to of cluster.ids) {
      if (from === to) continue;
      const link = await Link.open(Number(cluster.peer(to).split(':')[1]));
      links.set(`${from}>${to}`, link);
      ports.set(`${from}>${to}`, link.port);
    }
  }
  cluster.startAll();
  await cluster.leader();
  let next = 0;
  let stopping = false;
  let drained = false;
  const contextOf = (at: number): ClientContext => ({
    nodes: cluster.apis,
    topic,
    groups,
    history,
    random: seededRandom(options.seed * 1_000 + at),
    stopping: () => stopping,
    drained: () => drained,
    nextNumber: () => next++,
  });
  const producing = Array.from({ length: producers }, (_, at) => producer(contextOf(at + 1)));
  const consuming = groups.flatMap((group, at) =>
    Array.from({ length: consumersPerGroup }, (_, which) => consumer(contextOf(100 + 10 * at + which), group)),
  );
  const faults = await runFaults(
    { cluster, links, history, random: seededRandom(options.seed) },
    Date.now() + options.seconds * 1_000,
  );
  stopping = true;
  await Promise.all(producing);
  const end = Date.now() + drainMs;
  while (Date.now() < end && !(await allDone(cluster.apis))) await new Promise((resolve) => setTimeout(resolve, 200));
  drained = true;
  await Promise.all(consuming);
  await cluster.caughtUp();
  history.add(await finalState(cluster));
  for (const link of links.values()) await link.close();
  return { history: history.events, faults };
}

async function topicSeen(nodes: readonly string[]): Promise<Readonly<Record<string, unknown>> | undefined> {
  const answer = await untilAnswered(nodes, 0, () => ({ method: 'GET', path: `/v1/topics/${topic}` }), {
    withinMs: 2_000,
    giveUpMs: 10_000,
  });
  return answer?.status === 200 ? answer.json : undefined;
}

/** Nothing stands in the topic any more: every group is done with every message. */
async function allDone(nodes: readonly string[]): Promise<boolean> {
  const seen = await topicSeen(nodes);
  return seen?.['stored'] === 0;
}

async function finalState(cluster: ProcessCluster): Promise<HistoryEvent> {
  const seen = await topicSeen(cluster.apis);
  // State hashes are compared at one applied index: nothing is proposed any more, so all come to the same one.
  const hashes = await cluster.until('every node stands at one applied index', 20_000, async () => {
    const all = await Promise.all(cluster.ids.map((id) => cluster.seenBy(id)));
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
