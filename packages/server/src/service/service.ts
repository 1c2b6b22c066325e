// Walk 3/15: the complete table verb -> function, and the one way to it: counted, checked, placed (here, or forwarded to
// the leader), answered. HTTP, the embedded library and the simulator call it alike. On to server/service/messages.ts.
import {
  type AnswerOf,
  HoldfastError,
  OutcomeUnknownError,
  type ParsedRequestOf,
  type RequestOf,
  type Route,
  routes,
  type Verb,
} from '@holdfast/api';
import type { CallOptions, MemberPorts, Peer, Service } from '../member.ts';
import { cluster } from './cluster.ts';
import { ack, extend, nack, receive } from './deliveries.ts';
import type { Desk } from './desk.ts';
import { addMember, members, removeMember, transfer } from './members.ts';
import { cancel, get, list, schedule } from './messages.ts';
import { parseRequest } from './parse.ts';
import type { Placement } from './placement.ts';
import type { Quota } from './quota.ts';
import { placeRead, type ReadsPorts } from './reads.ts';
import { deadLetters, deleteGroup, group, putGroup, topic, topics } from './topics.ts';

type Handler<V extends Verb> = (desk: Desk, request: ParsedRequestOf<V>, signal: AbortSignal) => Promise<AnswerOf<V>>;

const handlers: { readonly [V in Verb]: Handler<V> } = {
  schedule,
  list,
  get,
  cancel,
  receive,
  ack,
  nack,
  extend,
  topics,
  topic,
  putGroup,
  group,
  deleteGroup,
  deadLetters,
  backup: ({ backups }, _request, signal) => backups.begin(signal),
  cluster,
  members,
  addMember,
  removeMember,
  transfer,
};

/** Messages are what makes a request large: the rest of it is bounded by the schemas. In bytes; none where absent. */
const weights: { readonly [V in Verb]?: (request: ParsedRequestOf<V>) => number } = {
  schedule: ({ body }) => body.messages.reduce((sum, message) => sum + weightOf(message), 0),
};

/** Headers by their characters: that is what they take of memory, within a factor of two. */
function weightOf({ body, headers }: ParsedRequestOf<'schedule'>['body']['messages'][number]): number {
  let weight = body.length;
  for (const [name, value] of Object.entries(headers)) weight += name.length + value.length;
  return weight;
}

export interface ServicePorts {
  readonly desk: Desk;
  readonly placement: Placement;
  readonly reads: ReadsPorts;
  readonly quota: Quota;
  readonly forward: MemberPorts['forward'];
  /** How long somebody who met no leader should wait before the next try. */
  readonly retryAfterMs: number;
  isStopping(): boolean;
  /** An error that is no answer: a fault of this code, or of the disk. */
  onFault(verb: Verb, error: unknown): void;
}

export function createService(ports: ServicePorts): Service {
  return {
    async call(verb, request, options) {
      if (ports.isStopping()) throw new HoldfastError('HF_STOPPING');
      const leave = ports.quota.enter();
      try {
        return await serve(ports, verb, request, options);
      } catch (error) {
        if (error instanceof HoldfastError) throw error;
        ports.onFault(verb, error);
        throw new HoldfastError('HF_INTERNAL', {}, { cause: error });
      } finally {
        leave();
      }
    },
  };
}

async function serve<V extends Verb>(
  ports: ServicePorts,
  verb: V,
  request: RequestOf<V>,
  options: CallOptions,
): Promise<AnswerOf<V>> {
  const parsed = parseRequest(verb, request);
  const giveBack = ports.quota.weigh(weights[verb]?.(parsed) ?? 0);
  try {
    const { by, streams }: Route = routes[verb];
    if (by === 'self') return await handlers[verb](ports.desk, parsed, options.signal);
    if (by === 'any') {
      const stale = 'stale' in parsed.query && parsed.query.stale;
      const readable = await placeRead(ports.reads, { stale, signal: options.signal });
      if (readable === 'nowhere') throw nowhere(ports);
      // Without ReadIndex only a leader could answer, and a stream is not passed on.
      if (readable === 'leader' && streams !== undefined) throw new HoldfastError('HF_BACKUP_VERSION');
      if (readable === 'here') return await handlers[verb](ports.desk, parsed, options.signal);
    }
    const place = await ports.placement.find(!options.forwarded, options.signal);
    switch (place?.kind) {
      case 'here':
        return by === 'any'
          ? await readAtLeader(ports, () => handlers[verb](ports.desk, parsed, options.signal))
          : await handlers[verb](ports.desk, parsed, options.signal);
      case 'there':
        return await forwarded(ports, place.peer, verb, request, options.signal);
      case undefined:
        throw nowhere(ports);
      default:
        return place satisfies never;
    }
  } finally {
    giveBack();
  }
}

/**
 * Without ReadIndex an entry shows that this node still leads. That a quorum was heard a moment ago does not: after it stood
 * still, what was heard may be old, and another leader may have been elected.
 */
async function readAtLeader<Answer>(ports: ServicePorts, read: () => Promise<Answer>): Promise<Answer> {
  const asked = await ports.desk.replica.propose<'tick'>({ kind: 'tick' });
  if (asked.kind !== 'applied') throw nowhere(ports);
  return await read();
}

function nowhere(ports: ServicePorts): HoldfastError {
  if (ports.isStopping()) return new HoldfastError('HF_STOPPING');
  const { self } = ports.desk;
  const leader = ports.desk.status().raft.leader;
  const leaderApi = leader === self.id ? undefined : ports.desk.peers().find(({ id }) => id === leader)?.api;
  return new HoldfastError('HF_NO_LEADER', {
    retryAfterMs: ports.retryAfterMs,
    ...(leaderApi === undefined ? {} : { leaderApi }),
  });
}

/**
 * Passes the request to the leader, once. When that leader is lost meanwhile (a frozen one answers nothing), the wait
 * ends as soon as this node knows it, and whether the request was applied is not known.
 */
async function forwarded<V extends Verb>(
  ports: ServicePorts,
  peer: Peer,
  verb: V,
  request: RequestOf<V>,
  callerSignal: AbortSignal,
): Promise<AnswerOf<V>> {
  const lost = new AbortController();
  const unwatch = ports.placement.watch(peer, () => lost.abort());
  try {
    return await ports.forward(peer, verb, passedOn(request), { signal: AbortSignal.any([callerSignal, lost.signal]) });
  } catch (error) {
    // The leader is of a build without that route: all that were added are about members.
    if (error instanceof HoldfastError && error.code === 'HF_ROUTE_NOT_FOUND')
      throw new HoldfastError('HF_MEMBERS_VERSION', {}, { cause: error });
    if (!lost.signal.aborted) throw error;
    // A receive is repeated by its receive id, marked as repeated: that finds the leases, if there are any.
    if (routes[verb].method === 'GET' || verb === 'receive') throw nowhere(ports);
    throw new OutcomeUnknownError({}, { cause: error });
  } finally {
    unwatch();
  }
}

/** The leader answers with what it has, which is never stale; and it may be of a build that does not know the word. */
function passedOn<V extends Verb>(request: RequestOf<V>): RequestOf<V> {
  return 'stale' in request.query ? { ...request, query: { ...request.query, stale: undefined } } : request;
}
