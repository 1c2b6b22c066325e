// What an operator does to the members of a cluster that runs, through its API: plain HTTP, as docs/members.md says it.
import { setTimeout as pause } from 'node:timers/promises';
import type { ProcessCluster } from '../processes/cluster.ts';
import type { History } from './history.ts';
import { type Request, untilAnswered } from './http.ts';
import type { Random } from './random.ts';

export interface OperatorContext {
  readonly cluster: ProcessCluster;
  readonly history: History;
  readonly random: Random;
  /** Nodes that something is done to just now: nothing else is done to them meanwhile. */
  readonly held: Set<string>;
}

const withinMs = 2_000;
const giveUpMs = 60_000;
const endsMs = 10_000;

/** @returns false when it was refused */
type Operation = (context: OperatorContext) => Promise<void | false>;

const operations: Readonly<Record<string, Operation>> = {
  'remove and add back': async (context) => {
    const id = context.random.pick(free(context, context.cluster.members));
    await holding(context, [id], async () => {
      await remove(context, id);
      await add(context, id);
    });
  },
  'replace by a new one': async (context) => {
    const gone = context.random.pick(free(context, context.cluster.members));
    const id = context.random.pick(context.cluster.spares);
    await holding(context, [gone, id], async () => {
      await context.cluster.signal(gone, 'SIGKILL');
      await add(context, id);
      await remove(context, gone);
    });
  },
  'grow for a while': async (context) => {
    const id = context.random.pick(context.cluster.spares);
    await holding(context, [id], () => add(context, id));
    await pause(context.random.below(3_000));
    const gone = context.random.pick(free(context, context.cluster.members));
    await holding(context, [gone], () => remove(context, gone));
  },
  transfer: async (context) => {
    // One that is under way, or of which nobody is left to take it, is refused.
    const { status } = await ask(context, { method: 'POST', path: '/v1/cluster/transfer', body: {} });
    return status === 200 ? undefined : false;
  },
};

/** One after the other until `endMs` (ms since the epoch). @returns how often each was done */
export async function operate(context: OperatorContext, endMs: number): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  while (Date.now() < endMs) {
    await pause(1_000 + context.random.below(6_000));
    const name = context.random.pick(Object.keys(operations));
    context.history.add({ kind: 'fault', atMs: Date.now(), what: `operator: ${name}` });
    const isRefused = (await operations[name]?.(context)) === false;
    context.history.add({ kind: 'fault', atMs: Date.now(), what: `operator: ${isRefused ? 'refused' : 'done'}` });
    const counted = isRefused ? `${name}, refused` : name;
    counts.set(counted, (counts.get(counted) ?? 0) + 1);
  }
  return counts;
}

const free = ({ held }: OperatorContext, ids: readonly string[]) => ids.filter((id) => !held.has(id));

async function holding({ held }: OperatorContext, ids: readonly string[], work: () => Promise<void>): Promise<void> {
  for (const id of ids) held.add(id);
  await work();
  for (const id of ids) held.delete(id);
}

type Seen = { readonly id: string; readonly role: string; readonly incarnation: string };

/** Starts it on an empty directory; resolves when it has its vote. */
async function add(context: OperatorContext, id: string): Promise<void> {
  const { cluster } = context;
  cluster.becomeMember(id);
  cluster.start(id);
  const node = await cluster.until(`${id} waits to be taken in`, endsMs * 3, async () => {
    const response = await fetch(`${cluster.api(id)}/v1/cluster`).catch(() => undefined);
    const seen = (await response?.json().catch(() => undefined)) as { waiting?: Record<string, string> } | undefined;
    return seen?.waiting;
  });
  const { status, json } = await ask(context, {
    method: 'POST',
    path: '/v1/cluster/members',
    body: { id, ...node },
  });
  if (status !== 200) throw new Error(`${id} is not taken in: ${JSON.stringify(json)}`);
  await cluster.until(`${id} has a vote`, giveUpMs, async () => {
    const seen = await ask(context, { method: 'GET', path: '/v1/cluster/members' });
    const members = (seen.json['members'] ?? []) as readonly Seen[];
    const found = members.find((member) => member.id === id && member.incarnation === node['incarnation']);
    return seen.json['settled'] === true && found?.role === 'voter' ? true : undefined;
  });
}

/** It stops by itself, or is stopped: it can come back with an empty directory only. */
async function remove(context: OperatorContext, id: string): Promise<void> {
  const { cluster } = context;
  cluster.mayEnd(id);
  const { status, json } = await cluster.until(`${id} may go`, giveUpMs, async () => {
    const answer = await ask(context, { method: 'DELETE', path: `/v1/cluster/members/${id}` });
    // Too few of the others can be reached just now: they are dead, cut off or stand still, and come back.
    return answer.json['code'] === 'HF_MEMBERS_REFUSED' ? undefined : answer;
  });
  if (status !== 200) throw new Error(`${id} is not removed: ${JSON.stringify(json)}`);
  await cluster.until(`${id} has ended`, endsMs, async () => (cluster.running(id) ? undefined : true)).catch(() => {});
  await cluster.signal(id, 'SIGKILL');
  cluster.becomeSpare(id);
}

async function ask(context: OperatorContext, request: Request) {
  const { cluster, random, history } = context;
  const apis = cluster.members.map((id) => cluster.api(id));
  const answer = await untilAnswered(apis, random, () => request, { withinMs, giveUpMs, history });
  if (answer === undefined) throw new Error(`nobody answers ${request.method} ${request.path}`);
  return answer;
}
