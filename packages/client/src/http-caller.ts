// One attempt at one node over HTTP: msgpack out and in, problems as HoldfastError. Connections are kept and bounded.
import {
  bounds,
  fromProblem,
  HoldfastError,
  idempotencyHeader,
  looksLikeAnswerTo,
  type RequestOf,
  routes,
  type Verb,
} from '@holdfast/api';
import { Packr } from 'msgpackr';
import { Pool } from 'undici';
import { type NodeCaller, NodeUnreachable } from './carrier.ts';
import { exchange, type HttpAnswer, type HttpRequest } from './http-exchange.ts';
import { carrierBounds } from './retrying-carrier.ts';

const httpBounds = {
  connectMs: 1_000,
  keepAliveMs: 30_000,
  answerBytes: bounds.messagesPerReceive * (bounds.bodyBytes + bounds.headerBytes) + 1024 * 1024,
} as const;

const msgpack = 'application/msgpack';
const codec = new Packr({ useRecords: false, variableMapSize: true });

/** Receives hold a connection while they wait; they have their own, so that an ack never queues behind them. */
interface Pools {
  readonly calls: Pool;
  readonly receives: Pool;
}

export function createHttpCaller(): NodeCaller {
  const pools = new Map<string, Pools>();

  function poolsOf(node: string): Pools {
    const known = pools.get(node);
    if (known !== undefined) return known;
    const opened = {
      calls: open(node, carrierBounds.calls.places + carrierBounds.answers.places),
      receives: open(node, carrierBounds.receives.places),
    };
    pools.set(node, opened);
    return opened;
  }

  return {
    async call(node, verb, request, signal) {
      const { calls, receives } = poolsOf(node);
      const pool = verb === 'receive' ? receives : calls;
      const answer = await exchange(pool, node, httpRequestOf(verb, request), httpBounds.answerBytes, signal);
      return answerOf(node, verb, answer);
    },
    async close() {
      const closing = [...pools.values()].flatMap(({ calls, receives }) => [calls.destroy(), receives.destroy()]);
      pools.clear();
      await Promise.all(closing);
    },
  };
}

function open(node: string, connections: number): Pool {
  return new Pool(node, {
    connections,
    pipelining: 1,
    keepAliveTimeout: httpBounds.keepAliveMs,
    connectTimeout: httpBounds.connectMs,
  });
}

/** '/v1/topics/{topic}/messages' -> ['/v1/topics/', 'topic', '/messages']: every second one is a parameter's name. */
const pathParts: ReadonlyMap<string, readonly string[]> = new Map(
  Object.values(routes).map(({ path }) => [path, path.split(/\{(\w+)\}/)]),
);

function httpRequestOf<V extends Verb>(verb: V, request: RequestOf<V>): HttpRequest {
  const { method, path } = routes[verb];
  const headers = ['accept', msgpack];
  if (request.idempotencyKey !== undefined) headers.push(idempotencyHeader.name, checkedKey(request.idempotencyKey));
  if (request.body === undefined) return { method, path: pathOf(path, request), headers, body: null };
  headers.push('content-type', msgpack);
  return { method, path: pathOf(path, request), headers, body: codec.pack(request.body) };
}

/** What no header can hold would never reach a node that refuses it. @throws HoldfastError HF_INVALID_REQUEST */
function checkedKey(key: string): string {
  const { error } = idempotencyHeader.schema.safeParse(key);
  if (error === undefined) return key;
  const fields = error.issues.map(({ message }) => ({ path: idempotencyHeader.name, message }));
  throw new HoldfastError('HF_INVALID_REQUEST', { fields });
}

function pathOf(path: string, request: { readonly params: object; readonly query: object }): string {
  const params = new Map<string, unknown>(Object.entries(request.params));
  const parts = pathParts.get(path) ?? [];
  const filled = parts.map((part, at) => (at % 2 === 0 ? part : encodeURIComponent(String(params.get(part)))));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? filled.join('') : `${filled.join('')}?${query.toString()}`;
}

/**
 * What the node said, its values unchecked: it is trusted as far as its requests are, and a newer one may say more than this
 * client knows. Only what has nothing of an answer is none: anything may listen at an address that a node has left.
 * @throws HoldfastError for a problem; NodeUnreachable when something else than a node answers at this address
 */
function answerOf(node: string, verb: Verb, answer: HttpAnswer) {
  const value = decoded(answer);
  if (answer.status < 300 && looksLikeAnswerTo(verb, value)) return value;
  const error = fromProblem(value);
  if (error !== undefined) throw error;
  const what = `HTTP ${answer.status} with content type "${answer.contentType}"`;
  throw new NodeUnreachable(node, true, { cause: new Error(`${what} is no answer of a Holdfast node.`) });
}

/** @returns undefined when it is neither msgpack nor JSON */
function decoded({ contentType, body }: HttpAnswer) {
  try {
    if (/^application\/(?:problem\+)?msgpack\b/.test(contentType)) return codec.unpack(body);
    // A problem from before the node knew what its caller reads.
    if (/^application\/(?:problem\+)?json\b/.test(contentType)) return JSON.parse(Buffer.from(body).toString());
  } catch {
    // Not what it says it is.
  }
  return undefined;
}
