// What may be repeated, and how: one row for each verb and one for each error code, so that a new one does not compile
// before somebody has thought about it.
import { type AnswerOf, defaults, type ErrorCode, parseDurationMs, type RequestOf, type Verb } from '@holdfast/api';

export interface RepeatRule<V extends Verb> {
  /** An attempt without an answer may have changed something. */
  readonly changes: boolean;
  /** Makes the first attempt recognizable, so that a repeat of it is. `draw`: 32 hex digits of chance. */
  identify(request: RequestOf<V>, draw: () => string): RequestOf<V>;
  /** What every attempt after the first one sends. */
  again(request: RequestOf<V>): RequestOf<V>;
  /** How long one node may take before another is asked. */
  attemptMs(request: RequestOf<V>): number;
  /** The error with which a repeat is refused because an earlier attempt had succeeded, and the answer it means. */
  readonly settledBy?: { readonly code: ErrorCode; readonly answer: AnswerOf<V> };
}

const writeMs = 2_000;
/** Reads of a whole topic walk over it. */
const readMs = 10_000;
/** What a receive may take beyond its wait: network, a commit. A frozen leader costs a consumer this much. */
const receiveMarginMs = 500;

const same = <T>(request: T): T => request;
const read = { changes: false, identify: same, again: same, attemptMs: () => readMs };
/** Doing it twice is the same as doing it once. */
const harmlessTwice = { changes: true, identify: same, again: same, attemptMs: () => writeMs };

function keyed<R extends { readonly idempotencyKey: string | undefined }>(request: R, draw: () => string): R {
  return request.idempotencyKey === undefined ? { ...request, idempotencyKey: draw() } : request;
}

export const repeatRules: { readonly [V in Verb]: RepeatRule<V> } = {
  schedule: { changes: true, identify: keyed, again: same, attemptMs: () => writeMs },
  cancel: { changes: true, identify: keyed, again: same, attemptMs: () => writeMs },
  receive: {
    changes: true,
    identify: (request, draw) =>
      request.body.receiveId === undefined ? { ...request, body: { ...request.body, receiveId: draw() } } : request,
    again: (request) => ({ ...request, body: { ...request.body, repeated: true } }),
    attemptMs: (request) => waitMsOf(request.body.wait) + receiveMarginMs,
  },
  ack: harmlessTwice,
  nack: harmlessTwice,
  extend: harmlessTwice,
  putGroup: harmlessTwice,
  deleteGroup: { ...harmlessTwice, settledBy: { code: 'HF_GROUP_NOT_FOUND', answer: { kind: 'deleting' } } },
  list: read,
  get: read,
  topics: read,
  topic: read,
  group: read,
  deadLetters: read,
  backup: read,
  cluster: read,
  members: read,
  addMember: harmlessTwice,
  removeMember: harmlessTwice,
  transfer: harmlessTwice,
};

function waitMsOf(wait: number | string | undefined): number {
  const waitMs = typeof wait === 'string' ? parseDurationMs(wait) : wait;
  // An impossible wait is refused by the node, which names the field.
  return waitMs !== undefined && waitMs >= 0 ? waitMs : defaults.waitMs;
}

export type Reaction =
  /** Repeating changes nothing, and the refusal speaks for every attempt of the call: none was applied. */
  | 'throw'
  /** Repeating changes nothing now. It speaks of this attempt alone: what an earlier one did is as open as before. */
  | 'tell'
  /** Another node may know better, and may be asked at once. */
  | 'another'
  /** An election is on: another node, after a short while. */
  | 'wait'
  /** Too much at once: the same node, when it said. */
  | 'later'
  /** A fault of the node: a few more tries, since another node may not have it. */
  | 'few';

/**
 * Why a refusal is no word on an attempt before it: that one may have met another version or another limit (what is said of
 * the request itself), a group that was deleted since, or a place that another group has taken since. A key that another
 * request has is the exception: the first attempt would have found it taken, too, as a node keeps an answer for longer
 * than a call is repeated.
 */
export const reactions: { readonly [Code in ErrorCode]: Reaction } = {
  HF_INVALID_REQUEST: 'tell',
  HF_INVALID_JSON: 'tell',
  HF_ROUTE_NOT_FOUND: 'tell',
  HF_TOPIC_NOT_FOUND: 'tell',
  HF_GROUP_NOT_FOUND: 'tell',
  HF_MESSAGE_NOT_FOUND: 'tell',
  HF_BODY_TOO_LARGE: 'tell',
  HF_UNSUPPORTED_MEDIA_TYPE: 'tell',
  HF_IDEMPOTENCY_KEY_REUSED: 'throw',
  HF_TOPIC_LIMIT: 'tell',
  HF_GROUP_LIMIT: 'tell',
  HF_TOO_MANY_WAITING: 'later',
  HF_TOO_MANY_LEASES: 'later',
  HF_OVERLOADED: 'later',
  HF_DISK_LOW: 'tell',
  HF_MEMBERS_BUSY: 'later',
  HF_MEMBERS_REFUSED: 'tell',
  HF_MEMBERS_VERSION: 'tell',
  HF_BACKUP_BUSY: 'another',
  HF_BACKUP_VERSION: 'tell',
  HF_NO_LEADER: 'wait',
  HF_STOPPING: 'another',
  HF_OUTCOME_UNKNOWN: 'wait',
  HF_UNREACHABLE: 'wait',
  HF_INTERNAL: 'few',
};
