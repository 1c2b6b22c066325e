// What clients saw, in true time. The checks read it when a run is over; nothing in it comes from inside the product.

/** Message bodies carry a tag of their own, so that a delivery names its message even when the schedule's answer was lost. */
export type Tag = string;

export interface Scheduled {
  readonly tag: Tag;
  readonly topic: string;
  /** Never to be delivered before: true ms. */
  readonly dueMs: number;
  /** The cluster counts it as a delay, from when it applies the command. */
  readonly delayed: boolean;
  readonly invokedMs: number;
  /** Of the answer, or of giving up. */
  endedMs: number;
  /** `unknown`: perhaps stored, no answer said so. `pending` while the call runs. */
  outcome: 'pending' | 'stored' | 'unknown' | 'refused';
  id: string | undefined;
  /** As the cluster said, of its clock; on the scale of true time. */
  deliverAtMs: number | undefined;
}

/** One answer to a request with an idempotency key; the same key always stands for the same request here. */
export interface KeyedAnswer {
  readonly key: string;
  /** The answer, without what may differ (`repeated`). */
  readonly answer: string;
  readonly invokedMs: number;
  readonly endedMs: number;
}

export interface Delivered {
  readonly tag: Tag;
  readonly topic: string;
  readonly group: string;
  readonly consumer: string;
  readonly receiveId: string;
  readonly id: string;
  readonly receipt: string;
  readonly token: number;
  readonly attempt: number;
  /** As the cluster said, of its clock; on the scale of true time. */
  readonly leasedUntilMs: number;
  readonly invokedMs: number;
  readonly atMs: number;
}

/** A receive whose wait was over. A lease that was made for it in its last moments was given back. */
export interface EmptyReceive {
  readonly topic: string;
  readonly endedMs: number;
}

export type Verb = 'ack' | 'nack' | 'extend';
export interface Settled {
  readonly verb: Verb;
  readonly receipt: string;
  readonly invokedMs: number;
  endedMs: number;
  /** `unknown`: no answer. */
  result: 'pending' | 'ok' | 'receiptNotCurrent' | 'notFound' | 'unknown' | 'refused';
  leasedUntilMs: number | undefined;
}

export interface Cancelled {
  readonly tag: Tag;
  readonly id: string;
  /** Of the workload's own: the retrying carrier draws one where it has none. */
  readonly key?: string | undefined;
  readonly invokedMs: number;
  endedMs: number;
  /** `pending` while the call runs; `unknown` and `aborted`: no answer; `refused`: not applied. */
  verdict: string;
  /** As the cluster said, of its clock; on the scale of true time. */
  leasedUntilMs?: number | undefined;
  attempts?: number | undefined;
}

export interface Looked {
  readonly tag: Tag;
  readonly invokedMs: number;
  readonly endedMs: number;
  /** `notFound` among the states. */
  readonly state: string;
  readonly groups: readonly { readonly group: string; readonly state: string; readonly attempts: number }[];
}

/** A group that came or went while messages were there. */
export interface GroupChanged {
  readonly kind: 'createGroup' | 'deleteGroup';
  readonly topic: string;
  readonly group: string;
  readonly invokedMs: number;
  endedMs: number;
}

export interface History {
  readonly scheduled: Map<Tag, Scheduled>;
  readonly keyed: KeyedAnswer[];
  readonly delivered: Delivered[];
  readonly emptyReceives: EmptyReceive[];
  readonly settled: Settled[];
  readonly cancelled: Cancelled[];
  /** Gets that were answered; one that was not changed nothing. */
  readonly looked: Looked[];
  readonly groupChanges: GroupChanged[];
  /** Groups that were there before the first message, as topic/group. */
  readonly groups: Set<string>;
  /** Requests that clients gave up, by what they were told. */
  readonly failures: Map<string, number>;
}

export function emptyHistory(): History {
  return {
    scheduled: new Map(),
    keyed: [],
    delivered: [],
    emptyReceives: [],
    settled: [],
    cancelled: [],
    looked: [],
    groupChanges: [],
    groups: new Set(),
    failures: new Map(),
  };
}
