// A client that shares nothing with the product: plain HTTP, JSON, and the repeats that docs/http.md asks of a client.
import type { History } from './history.ts';
import type { Random } from './random.ts';

export type Answer =
  | { readonly kind: 'answer'; readonly status: number; readonly json: Readonly<Record<string, unknown>> }
  | { readonly kind: 'lost' };

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** 32 hex digits, by the seed; those of two clients differ in the first eight. */
export function token(random: Random, client: number): string {
  const words = [client, ...Array.from({ length: 3 }, () => random.below(2 ** 32))];
  return words.map((word) => word.toString(16).padStart(8, '0')).join('');
}

/** One attempt at one node. Refused, reset, late: lost. */
async function attempt(node: string, request: Request, withinMs: number): Promise<Answer> {
  try {
    const response = await fetch(node + request.path, {
      method: request.method,
      headers: { ...(request.body === undefined ? {} : { 'content-type': 'application/json' }), ...request.headers },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      signal: AbortSignal.timeout(withinMs),
    });
    return { kind: 'answer', status: response.status, json: (await response.json()) as Record<string, unknown> };
  } catch {
    return { kind: 'lost' };
  }
}

export interface Limits {
  readonly withinMs: number;
  readonly giveUpMs: number;
  /** Where it is written down that a node met a fault of its own: a repeat may well be answered, and nobody would know. */
  readonly history: Pick<History, 'add'>;
}

/**
 * Repeats at one node after the other until somebody gives a definite answer: not lost, and no 429, 500, 503 or 504.
 * @returns undefined after `giveUpMs`
 */
export async function untilAnswered(
  nodes: readonly string[],
  random: Random,
  request: (repeat: number) => Request,
  limits: Limits,
): Promise<{ status: number; json: Readonly<Record<string, unknown>> } | undefined> {
  const end = performance.now() + limits.giveUpMs;
  const first = random.below(nodes.length);
  for (let repeat = 0; performance.now() < end; repeat += 1) {
    const node = nodes[(first + repeat) % nodes.length] ?? '';
    const answer = await attempt(node, request(repeat), limits.withinMs);
    if (answer.kind === 'answer' && answer.status === 500)
      limits.history.add({
        kind: 'ownFault',
        atMs: Date.now(),
        what: `${node} answers ${JSON.stringify(answer.json)}`,
      });
    if (answer.kind === 'answer' && ![429, 503, 504, 500].includes(answer.status)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20 + random.below(80)));
  }
  return undefined;
}
