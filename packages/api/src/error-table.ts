// Every error that a user of a running node can meet: status, whether the request was applied, and what to do next.
// docs/errors.md is printed from it; the client and the server know no other codes.

export interface ErrorRow {
  readonly status: number;
  /** `no`: it was not, and will not be. `unknown`: perhaps; repeat it with the same key to learn. */
  readonly applied: 'no' | 'unknown';
  readonly says: string;
  readonly next: string;
}

export const errorTable = {
  HF_INVALID_REQUEST: {
    status: 400,
    applied: 'no',
    says: 'A field of the request is missing, unknown or impossible.',
    next: 'Correct the field that the answer names.',
  },
  HF_INVALID_JSON: {
    status: 400,
    applied: 'no',
    says: 'The body is not valid JSON in UTF-8 (or msgpack).',
    next: 'Correct the body.',
  },
  HF_ROUTE_NOT_FOUND: { status: 404, applied: 'no', says: 'There is no such route.', next: 'See /openapi.json.' },
  HF_TOPIC_NOT_FOUND: {
    status: 404,
    applied: 'no',
    says: 'No topic has this name.',
    next: 'Schedule a message to it, or create a group in it; both create the topic.',
  },
  HF_GROUP_NOT_FOUND: {
    status: 404,
    applied: 'no',
    says: 'The topic has no group of this name.',
    next: 'Create it with PUT, or say `create` in the receive.',
  },
  HF_MESSAGE_NOT_FOUND: {
    status: 404,
    applied: 'no',
    says: 'No message ever had this id in this topic.',
    next: 'Check the id and the topic.',
  },
  HF_BODY_TOO_LARGE: {
    status: 413,
    applied: 'no',
    says: 'The request, a batch or a message is larger than its limit.',
    next: 'Send less; the answer names the limit.',
  },
  HF_UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    applied: 'no',
    says: 'The content type is not one that this route takes.',
    next: 'Send application/json, application/msgpack, or for one message application/octet-stream.',
  },
  HF_IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    applied: 'no',
    says: 'This idempotency key came with another request before.',
    next: 'Draw a new key for a new request.',
  },
  HF_TOPIC_LIMIT: {
    status: 409,
    applied: 'no',
    says: 'There are as many topics as are allowed.',
    next: 'Use fewer topics.',
  },
  HF_GROUP_LIMIT: {
    status: 409,
    applied: 'no',
    says: 'The topic has as many groups as are allowed.',
    next: 'Delete a group that is not used.',
  },
  HF_TOO_MANY_WAITING: {
    status: 429,
    applied: 'no',
    says: 'As many receives wait as are allowed.',
    next: 'Wait, then repeat the request.',
  },
  HF_TOO_MANY_LEASES: {
    status: 429,
    applied: 'no',
    says: 'As many messages are leased as are allowed.',
    next: 'Acknowledge some, then repeat the request.',
  },
  HF_OVERLOADED: {
    status: 503,
    applied: 'no',
    says: 'More is asked of the cluster than it can write or apply.',
    next: 'Wait as Retry-After says, then repeat the request.',
  },
  HF_DISK_LOW: {
    status: 507,
    applied: 'no',
    says: 'The disks of the cluster have no room for new messages; acknowledging, receiving and cancelling go on.',
    next: 'Make room on the disks that the answer names, or let consumers finish what is stored. Then repeat the request.',
  },
  HF_NO_LEADER: {
    status: 503,
    applied: 'no',
    says: 'No leader is known, or it is in doubt.',
    next: 'Repeat the request; an election takes about a second.',
  },
  HF_STOPPING: {
    status: 503,
    applied: 'no',
    says: 'This node is stopping, or has not started yet.',
    next: 'Repeat the request at another node.',
  },
  HF_MEMBERS_BUSY: {
    status: 503,
    applied: 'no',
    says: 'Another change of the members is under way, or leadership is being handed over.',
    next: 'Wait as Retry-After says, then repeat the request.',
  },
  HF_MEMBERS_REFUSED: {
    status: 409,
    applied: 'no',
    says: 'The members can not be changed like this.',
    next: 'The answer says why; docs/members.md says how members are added, removed and replaced.',
  },
  HF_MEMBERS_VERSION: {
    status: 409,
    applied: 'no',
    says: 'Some member may run a version that can not follow changes of the members.',
    next: 'Upgrade all of them and wait a few seconds, then repeat the request.',
  },
  HF_BACKUP_BUSY: {
    status: 503,
    applied: 'no',
    says: 'As many backups are under way on this node as may be.',
    next: 'Wait as Retry-After says, then repeat the request, or ask another node.',
  },
  HF_BACKUP_VERSION: {
    status: 409,
    applied: 'no',
    says: 'Some member may run a version of which no backup can be taken.',
    next: 'Upgrade all of them and wait a few seconds, then repeat the request.',
  },
  HF_OUTCOME_UNKNOWN: {
    status: 504,
    applied: 'unknown',
    says: 'The leader was lost before it could say whether the write was kept.',
    next: 'Repeat the same request with the same idempotency key.',
  },
  HF_UNREACHABLE: {
    status: 503,
    applied: 'no',
    says: 'The client library could reach no node in the time that the caller gave.',
    next: 'Check the addresses and the network, then repeat the request.',
  },
  HF_INTERNAL: {
    status: 500,
    applied: 'unknown',
    says: 'The node met a fault of its own.',
    next: 'See its log; repeat the same request with the same idempotency key.',
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;

export type ErrorCode = keyof typeof errorTable;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorTable, value);
}
