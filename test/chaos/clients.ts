// Clients that schedule, cancel, receive, acknowledge, nack, extend, and walk away.
import type { History } from './history.ts';
import { type Limits, token, untilAnswered } from './http.ts';
import type { Random } from './random.ts';

export interface ClientContext {
  readonly client: number;
  readonly nodes: readonly string[];
  readonly topic: string;
  readonly groups: readonly string[];
  readonly history: History;
  readonly random: Random;
  /** New messages and cancels stop; consumers go on until `drained`. */
  readonly stopping: () => boolean;
  readonly drained: () => boolean;
  readonly nextNumber: () => number;
}

const maxClockSkewMs = 500;
const limitsOf = ({ history }: ClientContext): Limits => ({ withinMs: 2_000, giveUpMs: 60_000, history });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Scheduled {
  readonly id: string;
  readonly deliverAtMs: number;
}

/** Schedules one message or a small batch again and again; cancels some of its own. */
export async function producer(context: ClientContext): Promise<void> {
  const { random, history } = context;
  const crowds: Promise<unknown>[] = [];
  while (!context.stopping()) {
    const count = random.chance(0.3) ? 1 + random.below(8) : 1;
    const aheadMs = 100 + random.below(6_000);
    const byDelay = random.chance(0.3);
    const invokedMs = Date.now();
    // A delay is counted from the cluster's clock, which may be behind this one's by the stated skew.
    const dueMs = invokedMs + aheadMs - (byDelay ? maxClockSkewMs : 0);
    const numbers = Array.from({ length: count }, () => context.nextNumber());
    for (const number of numbers) history.add({ kind: 'scheduleInvoked', number, atMs: invokedMs, dueMs });
    const key = token(random, context.client);
    const messages = numbers.map((number) => ({ body: { number }, ...(byDelay ? { delay: aheadMs } : { at: dueMs }) }));
    const request = {
      method: 'POST' as const,
      path: `/v1/topics/${context.topic}/messages`,
      body: { messages },
      headers: { 'idempotency-key': key },
    };
    let sent = 0;
    const send = () => {
      sent += 1;
      return request;
    };
    const answer = await untilAnswered(context.nodes, random, send, limitsOf(context));
    const atMs = Date.now();
    // A refusal speaks of its own attempt: one before it, whose answer was lost, may have been kept.
    const lost = answer === undefined || sent > 1;
    const kept = answer?.status === 200 ? (answer.json['messages'] as readonly Scheduled[]) : undefined;
    for (const [at, number] of numbers.entries()) {
      const message = kept?.[at];
      if (message !== undefined)
        history.add({
          kind: 'scheduleEnded',
          number,
          atMs,
          outcome: 'ok',
          id: message.id,
          deliverAtMs: message.deliverAtMs,
        });
      else history.add({ kind: 'scheduleEnded', number, atMs, outcome: lost ? 'unknown' : 'failed' });
    }
    if (kept !== undefined && random.chance(0.15))
      await cancel(context, random.pick(kept).id, random.below(aheadMs * 1.2));
    if (kept !== undefined && random.chance(0.3)) crowds.push(crowd(context, random.pick(kept).id, aheadMs));
    await pause(random.below(60));
  }
  await Promise.all(crowds);
}

/** Several at once ask about one message and cancel it, through different nodes, around the time when it is handed out. */
async function crowd(context: ClientContext, id: string, aheadMs: number): Promise<void> {
  const { random } = context;
  await pause(Math.max(0, aheadMs - 50 + random.below(400)));
  const cancels = random.chance(0.5);
  const all = Array.from({ length: 2 + random.below(4) }, () =>
    cancels && random.chance(0.4) ? cancel(context, id, random.below(100)) : look(context, id, random.below(100)),
  );
  await Promise.all(all);
}

async function look(context: ClientContext, id: string, afterMs: number): Promise<void> {
  await pause(afterMs);
  const invokedMs = Date.now();
  const path = `/v1/topics/${context.topic}/messages/${id}`;
  const answer = await untilAnswered(context.nodes, context.random, () => ({ method: 'GET', path }), limitsOf(context));
  const looked = { kind: 'looked', id, invokedMs, atMs: Date.now() } as const;
  if (answer?.status === 404) context.history.add({ ...looked, state: 'notFound', groups: [] });
  if (answer?.status !== 200) return;
  const lines = answer.json['groups'] as readonly { group: string; state: string; attempts: number }[];
  const groups = lines.map(({ group, state, attempts }) => ({ group, state, attempts }));
  context.history.add({ ...looked, state: String(answer.json['state']), groups });
}

async function cancel(context: ClientContext, id: string, afterMs: number): Promise<void> {
  await pause(afterMs);
  const key = token(context.random, context.client);
  context.history.add({ kind: 'cancelInvoked', id, key, atMs: Date.now() });
  const headers = { 'idempotency-key': key };
  const path = `/v1/topics/${context.topic}/messages/${id}`;
  const answer = await untilAnswered(
    context.nodes,
    context.random,
    () => ({ method: 'DELETE', path, headers }),
    limitsOf(context),
  );
  const verdict = answer === undefined ? 'unknown' : String(answer.json['kind'] ?? answer.json['code']);
  const { leasedUntilMs, attempts } = answer?.json ?? {};
  context.history.add({
    kind: 'cancelEnded',
    id,
    key,
    atMs: Date.now(),
    verdict,
    ...(typeof leasedUntilMs === 'number' ? { leasedUntilMs } : {}),
    ...(typeof attempts === 'number' ? { attempts } : {}),
  });
}

interface Lease {
  readonly id: string;
  readonly receipt: string;
  readonly attempt: number;
  readonly token: number;
  readonly leasedUntilMs: number;
  readonly body: { readonly number: number };
}

const leaseMs = 4_000;

/** Receives in one group, and does to each message what chance says. */
export async function consumer(context: ClientContext, group: string): Promise<void> {
  const { random, history } = context;
  while (!context.drained()) {
    const receiveId = token(random, context.client);
    const invokedMs = Date.now();
    const path = `/v1/topics/${context.topic}/groups/${group}/receive`;
    const body = {
      max: 1 + random.below(8),
      lease: leaseMs,
      wait: 500,
      receiveId,
      create: { start: 'earliest', maxAttempts: 1_000, backoffFirst: 100, backoffMax: 500 },
    };
    const answer = await untilAnswered(
      context.nodes,
      random,
      (repeat) => ({ method: 'POST', path, body: { ...body, repeated: repeat > 0 } }),
      limitsOf(context),
    );
    if (answer?.status !== 200) {
      await pause(100);
      continue;
    }
    const atMs = Date.now();
    const leases = answer.json['messages'] as readonly Lease[];
    for (const {
      id,
      attempt,
      token: leaseToken,
      leasedUntilMs,
      body: { number },
    } of leases) {
      history.add({
        kind: 'received',
        group,
        number,
        id,
        token: leaseToken,
        attempt,
        invokedMs,
        atMs,
        leasedUntilMs,
        leaseMs,
        receiveId,
      });
    }
    await Promise.all(leases.map((lease) => handle(context, group, lease)));
  }
}

/** While faults run: mostly acknowledged. When they have stopped everything is acknowledged, so that the end comes. */
async function handle(context: ClientContext, group: string, lease: Lease): Promise<void> {
  const { random } = context;
  const careful = context.stopping();
  if (!careful && random.chance(0.08)) return;
  if (!careful && random.chance(0.1)) await pause(random.below(1_000));
  if (!careful && random.chance(0.1)) {
    await settle(context, group, lease, 'nack');
    return;
  }
  if (!careful && random.chance(0.1)) await settle(context, group, lease, 'extend');
  await settle(context, group, lease, 'ack');
}

async function settle(
  context: ClientContext,
  group: string,
  lease: Lease,
  how: 'ack' | 'nack' | 'extend',
): Promise<void> {
  const { history, random } = context;
  const facts = { how, group, id: lease.id, token: lease.token };
  history.add({ kind: 'settleInvoked', ...facts, atMs: Date.now() });
  const body = {
    receipts: [lease.receipt],
    ...(how === 'nack' ? { delay: random.below(500) } : {}),
    ...(how === 'extend' ? { lease: leaseMs } : {}),
  };
  const request = { method: 'POST' as const, path: `/v1/topics/${context.topic}/groups/${group}/${how}`, body };
  let sent = 0;
  const send = () => {
    sent += 1;
    return request;
  };
  const answer = await untilAnswered(context.nodes, random, send, limitsOf(context));
  const [result] =
    answer?.status === 200 ? (answer.json['results'] as readonly { result: string; leasedUntilMs?: number }[]) : [];
  history.add({
    kind: 'settleEnded',
    ...facts,
    atMs: Date.now(),
    result: answer === undefined ? 'unknown' : (result?.result ?? String(answer.json['code'])),
    sent,
    ...(result?.leasedUntilMs === undefined ? {} : { leasedUntilMs: result.leasedUntilMs }),
  });
}
