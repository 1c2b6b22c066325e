// Clients of a node that is being recorded: they schedule, receive and acknowledge over HTTP, and remember what they were
// told. What was acknowledged when is not their word: the answers' bytes stand in the record itself.
import { randomBytes } from 'node:crypto';
import type { Random } from '../../chaos/random.ts';

/** What clients know and the answers in the record do not say. */
export interface Facts {
  readonly topic: string;
  readonly groups: readonly string[];
  /** Message id -> its number, from which its body follows. */
  readonly messages: Record<string, number>;
  /** Receipt -> what it is of. */
  readonly receipts: Record<string, { readonly id: string; readonly group: string }>;
  /** Asked for, whatever was answered: `${group}/${id}` -> wall time of the first time, in ms. */
  readonly ackAskedMs: Record<string, number>;
}

export interface LoadOptions {
  readonly api: () => string;
  readonly random: Random;
  readonly facts: Facts;
  readonly maxMessages: number;
  readonly stopping: () => boolean;
}

const producers = 4;
const consumersOfGroup = 2;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export interface Body {
  readonly number: number;
  readonly text: string;
}

/** Text that compresses a little, and that nobody has to keep to know it. */
export function bodyOf(number: number): Body {
  let state = number * 2_654_435_761;
  let text = '';
  const bytes = 200 + ((number * 7_919) % 20_000);
  while (text.length < bytes) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + number) >>> 0;
    text += `${state.toString(36)} scheduled `;
  }
  return { number, text };
}

/** Runs until `stopping`; a request that meets no node is repeated. */
export async function runLoad(options: LoadOptions): Promise<void> {
  let next = Object.keys(options.facts.messages).length;
  const number = () => next++;
  const work = [
    ...Array.from({ length: producers }, () => produce(options, number)),
    ...options.facts.groups.flatMap((group) => Array.from({ length: consumersOfGroup }, () => consume(options, group))),
  ];
  await Promise.all(work);
}

async function produce(options: LoadOptions, number: () => number): Promise<void> {
  const { random, facts, stopping } = options;
  while (!stopping()) {
    const numbers = Array.from({ length: 1 + random.below(3) }, number);
    if ((numbers[0] ?? 0) >= options.maxMessages) return;
    const messages = numbers.map((of) => ({ body: bodyOf(of), delay: random.chance(0.6) ? 0 : random.below(20_000) }));
    const answer = await ask(options, `/v1/topics/${facts.topic}/messages`, { messages });
    const kept = (answer?.['messages'] ?? []) as readonly { readonly id: string }[];
    for (const [at, { id }] of kept.entries()) facts.messages[id] = numbers[at] ?? -1;
    await pause(random.below(20));
  }
}

interface Lease {
  readonly id: string;
  readonly receipt: string;
}

async function consume(options: LoadOptions, group: string): Promise<void> {
  const { random, facts, stopping } = options;
  const path = `/v1/topics/${facts.topic}/groups/${group}`;
  while (!stopping()) {
    const receiveId = randomBytes(16).toString('hex');
    const create = { start: 'earliest', maxAttempts: 1_000 };
    const answer = await ask(options, `${path}/receive`, { max: 8, lease: 5_000, wait: 200, receiveId, create });
    const leases = ((answer?.['messages'] ?? []) as readonly Lease[]).filter(() => random.chance(0.9));
    for (const { id, receipt } of leases) {
      facts.receipts[receipt] = { id, group };
      facts.ackAskedMs[`${group}/${id}`] ??= Date.now();
    }
    if (leases.length > 0) await ask(options, `${path}/ack`, { receipts: leases.map(({ receipt }) => receipt) });
    else await pause(20);
  }
}

/** One request, repeated with the same idempotency key while nobody answers. @returns undefined when it was refused */
async function ask(
  { api, stopping }: LoadOptions,
  path: string,
  body: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const headers = {
    'content-type': 'application/json',
    ...(path.endsWith('/messages') ? { 'idempotency-key': randomBytes(16).toString('hex') } : {}),
  };
  while (!stopping()) {
    try {
      const signal = AbortSignal.timeout(3_000);
      const response = await fetch(api() + path, { method: 'POST', headers, body: JSON.stringify(body), signal });
      const json = (await response.json()) as Readonly<Record<string, unknown>>;
      if (response.ok) return json;
      if (response.status < 500 && response.status !== 429) return undefined;
    } catch {
      // The node was killed, or is not up again yet.
    }
    await pause(50);
  }
  return undefined;
}
