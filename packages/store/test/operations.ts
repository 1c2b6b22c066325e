// Random work for a store: abstract operations, made concrete by what the reference knows at that moment, the way a leader
// makes commands from what it has read; a part of them stale, repeated or nonsense.
import * as fc from 'fast-check';
import { type Command, comparePositions, type LeaseRef, type Position } from '../src/index.ts';
import { live, type Reference, type RefGroup, type RefHold, type RefTopic } from './reference.ts';

type Kind =
  | 'schedule'
  | 'createGroup'
  | 'deleteGroup'
  | 'lease'
  | 'retry'
  | 'ack'
  | 'nack'
  | 'extend'
  | 'cancel'
  | 'release'
  | 'giveBack'
  | 'collect'
  | 'begin'
  | 'activate'
  | 'nonsense';

export interface Operation {
  readonly kind: Kind;
  /** Which topic, group, row and so on: taken modulo what there is. */
  readonly dice: readonly number[];
}

export interface Step {
  readonly operations: readonly Operation[];
  readonly aheadMs: number;
  readonly stamped: boolean;
  readonly newTerm: boolean;
  /** What happens to the node with delayed writes after the entry. */
  readonly disk: 'turn' | 'durable' | 'crash' | 'nothing';
}

const weighted: fc.Arbitrary<Kind> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Kind>('schedule') },
  { weight: 8, arbitrary: fc.constant<Kind>('lease') },
  { weight: 3, arbitrary: fc.constant<Kind>('retry') },
  { weight: 6, arbitrary: fc.constant<Kind>('ack') },
  { weight: 4, arbitrary: fc.constant<Kind>('cancel') },
  { weight: 4, arbitrary: fc.constant<Kind>('collect') },
  { weight: 10, arbitrary: fc.constantFrom<Kind>('nack', 'extend', 'release', 'giveBack', 'begin', 'createGroup') },
  { weight: 1, arbitrary: fc.constantFrom<Kind>('deleteGroup', 'activate', 'nonsense') },
);

export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    operations: fc.array(fc.record({ kind: weighted, dice: fc.array(fc.nat(1_000), { minLength: 8, maxLength: 8 }) }), {
      maxLength: 5,
      size: 'max',
    }),
    aheadMs: fc.oneof(fc.constant(0), fc.nat(200), fc.nat(2_000)),
    stamped: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    newTerm: fc.oneof({ weight: 1, arbitrary: fc.constant(true) }, { weight: 12, arbitrary: fc.constant(false) }),
    disk: fc.constantFrom('turn', 'turn', 'durable', 'durable', 'crash', 'nothing', 'nothing'),
  }),
  { minLength: 40, maxLength: 80, size: 'max' },
);

const topicNames = ['red', 'green', 'blue'];
const groupNames = ['a', 'b', 'c'];

const pick = <T>(from: readonly T[], dice: number): T | undefined => from[dice % Math.max(from.length, 1)];

export function concrete({ kind, dice }: Operation, reference: Reference): Command | Uint8Array {
  const [d0 = 0, d1 = 0, d2 = 0, d3 = 0, d4 = 0] = dice;
  // One time in eleven a topic or a group that there is not.
  const topic = d0 % 11 === 0 ? undefined : pick(reference.topics, d0);
  const group = d1 % 11 === 0 ? undefined : pick(topic?.groups ?? [], d1);
  const named = { topic: topic?.number ?? 99, group: group?.number ?? 99 };
  const idempotency =
    d4 % 3 === 0 ? { key: `key ${d3 % 4}`, requestHash: Buffer.alloc(16, d2 % 2), keepMs: 1 + 5 * d3 } : undefined;
  switch (kind) {
    case 'schedule':
      return { kind, topic: pick(topicNames, d0) ?? '', messages: newMessages(dice, reference), idempotency };
    case 'createGroup':
      return {
        kind,
        topic: pick(topicNames, d0) ?? '',
        group: pick(groupNames, d1) ?? '',
        start: pick(
          [
            { kind: 'earliest' },
            { kind: 'now' },
            { kind: 'time', timeMs: Math.max(0, reference.clockMs + 300 - d2) },
          ] as const,
          d3,
        ) ?? { kind: 'now' },
        config: { maxAttempts: 1 + (d2 % 5), backoffFirstMs: 0, backoffMaxMs: d2 },
        replaceConfig: d4 % 2 === 0,
      };
    case 'deleteGroup':
      return { kind, ...named };
    case 'lease':
      return lease(named, topic, group, reference, dice);
    case 'retry':
      return retries(named, group, dice);
    case 'ack':
    case 'giveBack':
      return { kind, ...named, leases: leaseRefs(topic, group, dice) };
    case 'extend':
      return { kind, ...named, leases: leaseRefs(topic, group, dice), leaseMs: 1 + d4 };
    case 'nack':
      return {
        kind,
        ...named,
        leases: leaseRefs(topic, group, dice).map((ref) => ({ ...ref, delayMs: d3 % 300, reason: 'broken' })),
      };
    case 'release':
      return { kind, ...named, leases: leaseRefs(topic, group, dice).map((ref) => ({ ...ref, delayMs: d3 % 300 })) };
    case 'cancel':
      return { kind, topic: named.topic, position: anyPosition(topic, reference, d2), idempotency };
    case 'collect':
      return { kind, steps: [collectStep(named, topic, group, reference, dice)] };
    case 'begin':
      return { kind, graceMs: d2 };
    case 'activate':
      return { kind, version: 1 + (d2 % 2) };
    case 'nonsense':
      break;
  }
  return Buffer.from(dice);
}

function newMessages(
  dice: readonly number[],
  reference: Reference,
): Extract<Command, { kind: 'schedule' }>['messages'] {
  const [, , , , , count = 0, ahead = 0, past = 0] = dice;
  return Array.from({ length: count % 4 }, (_, index) => ({
    at:
      (count + index) % 3 === 0
        ? { kind: 'delay', delayMs: ((ahead + 37 * index) % 700) * (past % 2) }
        : { kind: 'time', timeMs: Math.max(0, reference.clockMs + ahead - past) },
    headers: Buffer.from('head'),
    body: Buffer.from(`${count} ${index}`),
  }));
}

/** As a scheduler would: everything that stands in (cursor, to], up to now. */
function lease(
  named: { topic: number; group: number },
  topic: RefTopic | undefined,
  group: RefGroup | undefined,
  reference: Reference,
  dice: readonly number[],
): Command {
  const [, , d2 = 0, d3 = 0, d4 = 0] = dice;
  const from = group?.cursor ?? reference.now;
  const due = inLane(topic).filter(
    (position) => comparePositions(position, from) > 0 && comparePositions(position, reference.now) <= 0,
  );
  const rows = due.slice(0, 1 + (d2 % 6));
  const whole = rows.length === due.length && d3 % 2 === 0;
  const to = whole ? reference.now : (rows.at(-1) ?? from);
  const stale = d4 % 13 === 0 ? { fireAtMs: d2, seq: d3 } : undefined;
  return {
    kind: 'lease',
    ...named,
    cursor: { from: stale ?? from, to: comparePositions(from, to) > 0 ? from : to },
    receives: [0, 1].map((id) => ({ receiveId: Buffer.alloc(16, d2 + id), leaseMs: 1 + (d3 % 400) })),
    lane: rows.map((position, index) => ({ position, receive: index % 2 })),
    retries: [],
  };
}

function retries(
  named: { topic: number; group: number },
  group: RefGroup | undefined,
  dice: readonly number[],
): Command {
  const [, , d2 = 0, d3 = 0] = dice;
  const waiting = holdsOf(group).filter(({ state }) => state === 'retry' || d2 % 7 === 0);
  return {
    kind: 'lease',
    ...named,
    cursor: undefined,
    receives: [{ receiveId: Buffer.alloc(16, d2), leaseMs: 1 + (d3 % 400) }],
    lane: [],
    retries: waiting
      .slice(0, 1 + (d3 % 4))
      .map(({ position, retryAtMs, retrySeq }) => ({ position, retryAtMs, retrySeq, receive: 0 })),
  };
}

/** Mostly leases that run, some with an old token, some messages that were never leased or are settled. */
function leaseRefs(topic: RefTopic | undefined, group: RefGroup | undefined, dice: readonly number[]): LeaseRef[] {
  const [, , , d3 = 0, , d5 = 0, d6 = 0, d7 = 0] = dice;
  const refs: LeaseRef[] = [];
  for (let index = 0; index <= d3 % 3; index += 1) {
    const hold = pick(holdsOf(group), d5 + index);
    const message = pick([...(topic?.messages.values() ?? [])], d6 + index);
    if (hold !== undefined && d7 % 5 !== 0)
      refs.push({ position: hold.position, token: hold.token - (d7 % 7 === 0 ? 1 : 0) });
    else if (message !== undefined) refs.push({ position: message.position, token: d7 });
  }
  return refs;
}

function collectStep(
  named: { topic: number; group: number },
  topic: RefTopic | undefined,
  group: RefGroup | undefined,
  reference: Reference,
  dice: readonly number[],
): Extract<Command, { kind: 'collect' }>['steps'][number] {
  const [, , d2 = 0, d3 = 0] = dice;
  switch (d2 % 4) {
    case 0: {
      const answers = [...(topic?.answers ?? [])];
      return {
        kind: 'answers',
        topic: named.topic,
        keys: answers.map(([key, { untilMs }]) => ({ key, untilMs: untilMs + (d3 % 5 === 0 ? 1 : 0) })),
      };
    }
    case 1: {
      const ended = [...(topic?.ended ?? [])].flatMap(([seq, { endedAtMs }]) => {
        const position = topic?.messages.get(seq)?.position;
        return position === undefined ? [] : [{ topic: named.topic, position, endedAtMs }];
      });
      return { kind: 'ended', rows: ended };
    }
    case 2:
      return { kind: 'messages', topic: named.topic, positions: [...inLane(topic), anyPosition(topic, reference, d3)] };
    default: {
      const holds = holdsOf(group).map(({ position }) => position);
      return { kind: 'group', ...named, holds: d3 % 2 === 0 ? holds : holds.slice(0, 1), last: d3 % 3 !== 0 };
    }
  }
}

export function inLane(topic: RefTopic | undefined): Position[] {
  const positions = [...(topic?.messages.values() ?? [])].map(({ position }) => position);
  return positions
    .filter((position) => topic !== undefined && live(topic, position) !== undefined)
    .sort(comparePositions);
}

function holdsOf(group: RefGroup | undefined): RefHold[] {
  return [...(group?.holds.values() ?? [])];
}

/** One that was issued in the topic; one time in nine one that can not have been. */
function anyPosition(topic: RefTopic | undefined, reference: Reference, dice: number): Position {
  const position = pick([...(topic?.messages.values() ?? [])], dice)?.position;
  return position === undefined || dice % 9 === 0
    ? { fireAtMs: reference.clockMs, seq: reference.seq + 1_000 }
    : position;
}
