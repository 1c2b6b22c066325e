// Every route as data. Server, client and OpenAPI read this table; a route that is not here does not exist.
import { z } from 'zod';
import { bounds, defaults } from './bounds.ts';
import { clusterSeen } from './cluster.ts';
import {
  ackRequest,
  extendAnswers,
  extendRequest,
  leaseAnswers,
  nackRequest,
  received,
  receiveRequest,
} from './delivery.ts';
import type { ErrorCode } from './error-table.ts';
import {
  memberAdded,
  memberId,
  memberRemoved,
  membersSeen,
  memberToAdd,
  removeQuery,
  transferRequest,
  transferStarted,
} from './members.ts';
import {
  cancelVerdict,
  idempotencyKey,
  listQuery,
  messageId,
  messageSeen,
  messagesPage,
  messageToSchedule,
  name,
  scheduled,
} from './message.ts';
import { deadLetters, groupSeen, putGroup, topicSeen } from './topic.ts';
import { wholeTextUpTo } from './whole-number.ts';

export interface Route {
  readonly verb: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With `{parameters}`, each of them in `params`. */
  readonly path: string;
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  readonly body: z.ZodType | undefined;
  readonly answer: z.ZodType;
  /** The answer is a stream of bytes of this type, and no value: it is not forwarded. */
  readonly streams?: string;
  /**
   * `leader`: followers forward it. `any`: every node answers by its own state, once that has everything that was
   * acknowledged before; at once, and perhaps with what was, when the query says `stale`. `self`: for itself alone.
   */
  readonly by: 'leader' | 'any' | 'self';
  /** Takes the header Idempotency-Key. */
  readonly idempotent: boolean;
  readonly errors: readonly ErrorCode[];
  readonly says: string;
}

const byteStream = z.custom<AsyncIterable<Uint8Array>>();
const nothing = z.strictObject({});
const inTopic = z.strictObject({ topic: name });
const inGroup = z.strictObject({ topic: name, group: name });
const oneMessage = z.strictObject({ topic: name, id: messageId });
const staleFlag = z.union([z.boolean(), z.enum(['true', 'false'])], { error: 'must be true or false' });
const stale = staleFlag
  .transform((given) => given === true || given === 'true')
  .default(false)
  .describe('Answer at once from what this node has, perhaps without what was acknowledged a moment ago.');
const reading = z.strictObject({ stale });
const page = z.strictObject({
  stale,
  limit: wholeTextUpTo(bounds.messagesPerPage).default(defaults.pageMessages),
  cursor: z.string().max(200).optional(),
});
const always = ['HF_INVALID_REQUEST', 'HF_NO_LEADER', 'HF_STOPPING', 'HF_INTERNAL'] as const;
const writes = [
  ...always,
  'HF_INVALID_JSON',
  'HF_BODY_TOO_LARGE',
  'HF_UNSUPPORTED_MEDIA_TYPE',
  'HF_OVERLOADED',
  'HF_OUTCOME_UNKNOWN',
] as const;
const ofMembers = ['HF_MEMBERS_BUSY', 'HF_MEMBERS_REFUSED', 'HF_MEMBERS_VERSION'] as const;
const ofGroup = ['HF_TOPIC_NOT_FOUND', 'HF_GROUP_NOT_FOUND'] as const;

/** One message, or a batch that is kept whole or not at all. */
const scheduleBody = z.union([
  z.strictObject({ messages: z.array(messageToSchedule).min(1).max(bounds.messagesPerBatch) }),
  messageToSchedule.transform((message) => ({ messages: [message] })),
]);

export const routes = {
  schedule: {
    verb: 'schedule',
    method: 'POST',
    path: '/v1/topics/{topic}/messages',
    params: inTopic,
    query: nothing,
    body: scheduleBody,
    answer: scheduled,
    by: 'leader',
    idempotent: true,
    errors: [...writes, 'HF_IDEMPOTENCY_KEY_REUSED', 'HF_TOPIC_LIMIT', 'HF_DISK_LOW'],
    says: 'Schedule one message, or a batch (all or nothing). Answers when a majority has it on disk.',
  },
  list: {
    verb: 'list',
    method: 'GET',
    path: '/v1/topics/{topic}/messages',
    params: inTopic,
    query: listQuery.extend({ stale }),
    body: undefined,
    answer: messagesPage,
    by: 'any',
    idempotent: false,
    errors: [...always, 'HF_TOPIC_NOT_FOUND'],
    says: 'List what stands in a topic, in order of time.',
  },
  get: {
    verb: 'get',
    method: 'GET',
    path: '/v1/topics/{topic}/messages/{id}',
    params: oneMessage,
    query: reading,
    body: undefined,
    answer: messageSeen,
    by: 'any',
    idempotent: false,
    errors: [...always, 'HF_TOPIC_NOT_FOUND', 'HF_MESSAGE_NOT_FOUND'],
    says: 'Look at one message: where it stands in each group, or how it ended.',
  },
  cancel: {
    verb: 'cancel',
    method: 'DELETE',
    path: '/v1/topics/{topic}/messages/{id}',
    params: oneMessage,
    query: nothing,
    body: undefined,
    answer: cancelVerdict,
    by: 'leader',
    idempotent: true,
    errors: [...writes, 'HF_IDEMPOTENCY_KEY_REUSED', 'HF_TOPIC_NOT_FOUND'],
    says: 'Cancel a message. The verdict is definite, and a repeated cancel gets it again.',
  },
  receive: {
    verb: 'receive',
    method: 'POST',
    path: '/v1/topics/{topic}/groups/{group}/receive',
    params: inGroup,
    query: nothing,
    body: receiveRequest,
    answer: received,
    by: 'leader',
    idempotent: false,
    errors: [
      ...writes,
      ...ofGroup,
      'HF_GROUP_LIMIT',
      'HF_TOPIC_LIMIT',
      'HF_DISK_LOW',
      'HF_TOO_MANY_WAITING',
      'HF_TOO_MANY_LEASES',
    ],
    says: 'Lease messages that are due; wait for some when there are none.',
  },
  ack: {
    verb: 'ack',
    method: 'POST',
    path: '/v1/topics/{topic}/groups/{group}/ack',
    params: inGroup,
    query: nothing,
    body: ackRequest,
    answer: leaseAnswers,
    by: 'leader',
    idempotent: false,
    errors: [...writes, ...ofGroup],
    says: 'Acknowledge: the group is done with these messages.',
  },
  nack: {
    verb: 'nack',
    method: 'POST',
    path: '/v1/topics/{topic}/groups/{group}/nack',
    params: inGroup,
    query: nothing,
    body: nackRequest,
    answer: leaseAnswers,
    by: 'leader',
    idempotent: false,
    errors: [...writes, ...ofGroup],
    says: 'Give messages back, to be tried again later.',
  },
  extend: {
    verb: 'extend',
    method: 'POST',
    path: '/v1/topics/{topic}/groups/{group}/extend',
    params: inGroup,
    query: nothing,
    body: extendRequest,
    answer: extendAnswers,
    by: 'leader',
    idempotent: false,
    errors: [...writes, ...ofGroup],
    says: 'Make leases last `lease` from now.',
  },
  topics: {
    verb: 'topics',
    method: 'GET',
    path: '/v1/topics',
    params: nothing,
    query: reading,
    body: undefined,
    answer: z.strictObject({ topics: z.array(topicSeen) }),
    by: 'any',
    idempotent: false,
    errors: always,
    says: 'All topics, their groups and counts.',
  },
  topic: {
    verb: 'topic',
    method: 'GET',
    path: '/v1/topics/{topic}',
    params: inTopic,
    query: reading,
    body: undefined,
    answer: topicSeen,
    by: 'any',
    idempotent: false,
    errors: [...always, 'HF_TOPIC_NOT_FOUND'],
    says: 'One topic, its groups and counts.',
  },
  putGroup: {
    verb: 'putGroup',
    method: 'PUT',
    path: '/v1/topics/{topic}/groups/{group}',
    params: inGroup,
    query: nothing,
    body: putGroup,
    answer: groupSeen,
    by: 'leader',
    idempotent: false,
    errors: [...writes, 'HF_GROUP_LIMIT', 'HF_TOPIC_LIMIT', 'HF_DISK_LOW'],
    says: 'Create a group, or change its settings (its start stays).',
  },
  group: {
    verb: 'group',
    method: 'GET',
    path: '/v1/topics/{topic}/groups/{group}',
    params: inGroup,
    query: reading,
    body: undefined,
    answer: groupSeen,
    by: 'any',
    idempotent: false,
    errors: [...always, ...ofGroup],
    says: 'One group and its counts.',
  },
  deleteGroup: {
    verb: 'deleteGroup',
    method: 'DELETE',
    path: '/v1/topics/{topic}/groups/{group}',
    params: inGroup,
    query: nothing,
    body: undefined,
    answer: z.strictObject({ kind: z.literal('deleting') }),
    by: 'leader',
    idempotent: false,
    errors: [...writes, ...ofGroup],
    says: 'Delete a group; what only it still needed goes with it.',
  },
  deadLetters: {
    verb: 'deadLetters',
    method: 'GET',
    path: '/v1/topics/{topic}/groups/{group}/dead-letters',
    params: inGroup,
    query: page,
    body: undefined,
    answer: deadLetters,
    by: 'any',
    idempotent: false,
    errors: [...always, ...ofGroup],
    says: 'Messages that a group gave up after its last attempt.',
  },
  backup: {
    verb: 'backup',
    method: 'GET',
    path: '/v1/backup',
    params: nothing,
    query: nothing,
    body: undefined,
    answer: byteStream,
    streams: 'application/vnd.holdfast.backup',
    by: 'any',
    idempotent: false,
    errors: [...always, 'HF_BACKUP_BUSY', 'HF_BACKUP_VERSION', 'HF_OVERLOADED'],
    says: 'The whole state as a file (docs/backup.md): everything that was acknowledged before it was asked for is in it. Whole only if its end is there.',
  },
  cluster: {
    verb: 'cluster',
    method: 'GET',
    path: '/v1/cluster',
    params: nothing,
    query: nothing,
    body: undefined,
    answer: clusterSeen,
    by: 'self',
    idempotent: false,
    errors: ['HF_STOPPING', 'HF_INTERNAL'],
    says: 'The cluster as this node sees it.',
  },
  members: {
    verb: 'members',
    method: 'GET',
    path: '/v1/cluster/members',
    params: nothing,
    query: nothing,
    body: undefined,
    answer: membersSeen,
    by: 'leader',
    idempotent: false,
    errors: always,
    says: 'Who belongs to the cluster, as its leader knows it.',
  },
  addMember: {
    verb: 'addMember',
    method: 'POST',
    path: '/v1/cluster/members',
    params: nothing,
    query: nothing,
    body: memberToAdd,
    answer: memberAdded,
    by: 'leader',
    idempotent: false,
    errors: [...writes, ...ofMembers],
    says: 'Take in a node that waits for it. It follows, and gets a vote when it has caught up. The same node again: already.',
  },
  removeMember: {
    verb: 'removeMember',
    method: 'DELETE',
    path: '/v1/cluster/members/{id}',
    params: memberId,
    query: removeQuery,
    body: undefined,
    answer: memberRemoved,
    by: 'leader',
    idempotent: false,
    errors: [...writes, ...ofMembers],
    says: 'Remove a member for good, dead or alive; one that leads hands over. One that is no member: absent.',
  },
  transfer: {
    verb: 'transfer',
    method: 'POST',
    path: '/v1/cluster/transfer',
    params: nothing,
    query: nothing,
    body: transferRequest,
    answer: transferStarted,
    by: 'leader',
    idempotent: false,
    errors: [...writes, ...ofMembers],
    says: 'Hand leadership over, to the member that is named or to the one that has most.',
  },
} as const satisfies Readonly<Record<string, Route>>;

export type Verb = keyof typeof routes;
type Table = typeof routes;
type BodyOf<V extends Verb, Side extends 'input' | 'output'> = Table[V]['body'] extends z.ZodType
  ? Side extends 'input'
    ? z.input<Table[V]['body']>
    : z.output<Table[V]['body']>
  : undefined;

/** A request as a user writes it (what a carrier carries). */
export interface RequestOf<V extends Verb> {
  readonly params: z.input<Table[V]['params']>;
  readonly query: z.input<Table[V]['query']>;
  readonly body: BodyOf<V, 'input'>;
  readonly idempotencyKey: string | undefined;
}

/** A request after its schemas: what a service function gets. */
export interface ParsedRequestOf<V extends Verb> {
  readonly params: z.output<Table[V]['params']>;
  readonly query: z.output<Table[V]['query']>;
  readonly body: BodyOf<V, 'output'>;
  readonly idempotencyKey: string | undefined;
}

export type AnswerOf<V extends Verb> = z.output<Table[V]['answer']>;

export const idempotencyHeader = { name: 'idempotency-key', schema: idempotencyKey } as const;
