// A follower passes a request to the leader's API: one hop, in msgpack where that can carry it, over connections that are
// kept. Long polls have connections of their own, so that a thousand idle consumers do not stand in front of one write.
import {
  bounds,
  fromProblem,
  HoldfastError,
  jsonContentType,
  OutcomeUnknownError,
  type RequestOf,
  routes,
  type Verb,
} from '@holdfast/api';
import { Packr } from 'msgpackr';
import { errors, Pool } from 'undici';
import { forwardedHeader, msgpackType } from './http/request.ts';
import type { MemberPorts } from './member.ts';

export interface Forwarder {
  readonly forward: MemberPorts['forward'];
  /** The same as a client of that node: it may pass the request on. */
  readonly ask: MemberPorts['forward'];
  inFlight(): number;
  /** Refused here because too much was under way, by the name of the bound. */
  readonly refusals: ReadonlyMap<string, number>;
  /** Requests under way fail. */
  close(): Promise<void>;
}

type Lane = 'polls' | 'others';
type LaneLimits = Readonly<
  Record<Lane, { readonly connections: number; readonly inFlight: number; readonly answerMs: number }>
>;

/** To one peer. A poll holds its connection; the others wait for a free one. */
const laneLimits = {
  polls: { connections: 1_024, inFlight: 1_024, answerMs: bounds.waitMs + 15_000 },
  others: { connections: 64, inFlight: 2_048, answerMs: 10_000 },
} as const satisfies LaneLimits;
const connectMs = 1_000;
/** Shorter than the server keeps them, so that a request does not meet a connection that is being closed. */
const keepAliveMs = 30_000;
const answerBytes = 32 * 1024 * 1024;

/** The request did not leave this machine: certainly not applied. */
const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);
/** A connection that stands ends with them too, after the request was sent. */
const neverSentIfConnecting = new Set(['EHOSTUNREACH', 'ENETUNREACH']);

const packr = new Packr({ useRecords: false, mapsAsObjects: true });

interface Line {
  readonly pool: Pool;
  inFlight: number;
}

export function createForwarder(limits: LaneLimits = laneLimits): Forwarder {
  const lines = new Map<string, Line>();
  const refusals = new Map<string, number>();

  const lineTo = (api: string, lane: Lane): Line => {
    const key = `${lane} ${api}`;
    let line = lines.get(key);
    if (line === undefined) lines.set(key, (line = { pool: poolTo(api, limits[lane]), inFlight: 0 }));
    return line;
  };
  const through =
    (hops: Readonly<Record<string, string>>): MemberPorts['forward'] =>
    async (to, verb, request, { signal }) => {
      const lane = verb === 'receive' ? 'polls' : 'others';
      // No URL: such a port or host can not be. An entry of the log, or --peers, may name it as the leader's for ever.
      if (!URL.canParse(to.api)) throw new HoldfastError('HF_NO_LEADER', { retryAfterMs: 300 });
      const line = lineTo(to.api, lane);
      if (line.inFlight >= limits[lane].inFlight) throw refused(refusals, lane);
      line.inFlight += 1;
      try {
        return await send(line.pool, verb, request, hops, signal);
      } finally {
        line.inFlight -= 1;
      }
    };
  return {
    forward: through({ [forwardedHeader]: '1' }),
    ask: through({}),
    inFlight: () => [...lines.values()].reduce((sum, line) => sum + line.inFlight, 0),
    refusals,
    async close() {
      await Promise.all([...lines.values()].map(({ pool }) => pool.destroy()));
    },
  };
}

function poolTo(api: string, { connections, answerMs }: LaneLimits[Lane]): Pool {
  return new Pool(api, {
    connections,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
    maxResponseSize: answerBytes,
    connect: { timeout: connectMs },
  });
}

function refused(refusals: Map<string, number>, lane: Lane): HoldfastError {
  const bound = `forward.${lane}`;
  refusals.set(bound, (refusals.get(bound) ?? 0) + 1);
  return new HoldfastError(lane === 'polls' ? 'HF_TOO_MANY_WAITING' : 'HF_OVERLOADED', { retryAfterMs: 1_000 });
}

type AnswerTo = Awaited<ReturnType<MemberPorts['forward']>>;

async function send<V extends Verb, Answer extends AnswerTo>(
  pool: Pool,
  verb: V,
  request: RequestOf<V>,
  hops: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answer> {
  const { method } = routes[verb];
  const headers: Record<string, string> = { accept: msgpackType, ...hops };
  if (request.idempotencyKey !== undefined) headers['idempotency-key'] = request.idempotencyKey;
  const json = jsonOf(request.body);
  if (request.body !== undefined) headers['content-type'] = json === undefined ? msgpackType : jsonContentType;
  const body = json ?? (request.body === undefined ? null : packr.pack(request.body));
  try {
    const response = await pool.request({ path: pathOf(verb, request), method, headers, body, signal });
    const bytes = Buffer.from(await response.body.arrayBuffer());
    if (response.statusCode === 200 && response.headers['content-type'] === msgpackType) {
      // Another node of the same cluster made it from the same schemas.
      return packr.unpack(bytes) as Answer;
    }
    throw problemIn(bytes) ?? lostOn(verb, new Error(`${response.statusCode}, and neither an answer nor a problem`));
  } catch (error) {
    throw error instanceof HoldfastError ? error : lostOn(verb, error);
  }
}

/**
 * What holds a JSON value of a user goes on as JSON: msgpack would replace half of a surrogate pair, rename a key
 * `__proto__`, and give up on nesting that JSON can write. The leader would keep another body than this node does when it
 * leads, and call a repeat of the same request another one.
 *
 * @returns undefined without such a value: bytes are cheaper in msgpack
 */
function jsonOf(body: unknown): string | undefined {
  if (!isRecord(body)) return undefined;
  const { messages } = body;
  if (!Array.isArray(messages)) return body['body'] === undefined ? undefined : JSON.stringify(inJson(body));
  return messages.some((message) => isRecord(message) && message['body'] !== undefined)
    ? JSON.stringify({ messages: messages.map(inJson) })
    : undefined;
}

function inJson(message: unknown): unknown {
  if (!isRecord(message) || !(message['bodyBytes'] instanceof Uint8Array)) return message;
  const { bodyBytes: bytes, ...rest } = message;
  return { ...rest, bodyBase64: Buffer.from(bytes).toString('base64') };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

function pathOf<V extends Verb>(verb: V, { params, query }: RequestOf<V>): string {
  const values = new Map(Object.entries(params));
  const path = routes[verb].path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(values.get(name))),
  );
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) given.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return given.size === 0 ? path : `${path}?${given.toString()}`;
}

function problemIn(bytes: Buffer): HoldfastError | undefined {
  try {
    return fromProblem(JSON.parse(bytes.toString('utf8')));
  } catch {
    return undefined;
  }
}

/** The connection failed. Before the request was sent, and for what changes nothing, that is only a missing leader. */
function lostOn(verb: Verb, cause: unknown): HoldfastError {
  const notApplied = isNeverSent(cause) || routes[verb].method === 'GET';
  // A receive that was lost is repeated by its receive id, marked as repeated: that finds the leases, if there are any.
  if (notApplied || verb === 'receive') return new HoldfastError('HF_NO_LEADER', { retryAfterMs: 300 }, { cause });
  return new OutcomeUnknownError({}, { cause });
}

function isNeverSent(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isNeverSent);
  if (error instanceof errors.ConnectTimeoutError) return true;
  if (!(error instanceof Error && 'code' in error)) return false;
  const code = String(error.code);
  return neverSent.has(code) || (neverSentIfConnecting.has(code) && 'syscall' in error && error.syscall === 'connect');
}
