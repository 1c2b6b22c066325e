// The sequential specification of one message: what users were promised (docs/promises.md, docs/http.md), one operation
// at a time. Written from the promises, and not from the product: it shares no code with it.
//
// A lease may end by itself once its time has come, and nothing else happens without an operation; where the history has
// lost answers of receives, a lease that nobody was told of may have been made once the message was due.
import {
  type CancelAnswer,
  failed,
  type Hold,
  type MessageState,
  type MessageWorld,
  mayHaveBecome,
  settled,
  textOfState,
  type Verdict,
  withHold,
} from './message-state.ts';
import type { Moment, Specification } from './operation.ts';

export type MessageCall =
  | { readonly kind: 'schedule' }
  | { readonly kind: 'cancel'; readonly key?: string | undefined }
  | { readonly kind: 'get' }
  /** A receive handed the message to somebody. */
  | { readonly kind: 'lease'; readonly group: string }
  | { readonly kind: 'ack' | 'nack' | 'extend'; readonly group: string; readonly token: number }
  /** With its start before the message. */
  | { readonly kind: 'createGroup' | 'deleteGroup'; readonly group: string };

export interface LeaseAnswer {
  readonly token: number;
  readonly attempt: number;
  readonly untilMs: number;
  /** An answer before this one may have been lost, which told of a shorter lease: a repeated receive extends what it finds. */
  readonly toldLate?: boolean;
}
export interface SettleAnswer {
  readonly result: string;
  readonly untilMs?: number | undefined;
}
export interface GetAnswer {
  readonly state: string;
  readonly groups: readonly { readonly group: string; readonly state: string; readonly attempts: number }[];
}
export type MessageAnswer =
  | { readonly of: 'cancel'; readonly verdict: CancelAnswer }
  | { readonly of: 'get'; readonly seen: GetAnswer }
  | { readonly of: 'lease'; readonly lease: LeaseAnswer }
  | { readonly of: 'settle'; readonly settled: SettleAnswer }
  | { readonly of: 'done' };

type Next = readonly MessageState[] | string;

export function messageSpecification(world: MessageWorld): Specification<MessageState, MessageCall, MessageAnswer> {
  return {
    initial: {
      life: 'absent',
      groups: Object.fromEntries(world.groups.map((name) => [name, { kind: 'waiting' } as const])),
      lastToken: 0,
      answers: {},
    },
    step: (state, call, answer, moment) => stepMessage(world, { state, answer, moment }, call),
    textOf: textOfState,
    describe: (call, answer) => `${describeCall(call)} ${answer === undefined ? 'unanswered' : describeAnswer(answer)}`,
  };
}

interface Here {
  readonly state: MessageState;
  readonly answer: MessageAnswer | undefined;
  readonly moment: Moment;
}

function stepMessage(world: MessageWorld, here: Here, call: MessageCall): Next {
  switch (call.kind) {
    case 'schedule':
      return here.state.life === 'absent' ? [{ ...here.state, life: 'stored' }] : 'it is scheduled already';
    case 'cancel':
      return cancel(world, here, call.key);
    case 'get':
      return get(world, here);
    case 'lease':
      return lease(world, here, call.group);
    case 'ack':
    case 'nack':
    case 'extend':
      return settle(world, here, call);
    case 'createGroup':
      return [withHold(here.state, call.group, { kind: 'waiting' })];
    case 'deleteGroup':
      return [withoutGroup(here.state, call.group)];
    default:
      return call satisfies never;
  }
}

/** All that may follow from the states that time may have made; a sentence when the answer fits none of them. */
function each(states: readonly MessageState[], step: (state: MessageState) => readonly MessageState[] | string): Next {
  const next: MessageState[] = [];
  let why = 'no state allows it';
  for (const [at, state] of states.entries()) {
    const found = step(state);
    if (typeof found !== 'string') next.push(...found);
    else if (at === 0) why = found;
  }
  return next.length > 0 ? next : why;
}

/** An operation that nobody heard of need not be looked at where it changes nothing. */
const changed = (before: MessageState, next: Next): Next =>
  typeof next === 'string' ? [] : next.filter((one) => textOfState(one) !== textOfState(before));

function withoutGroup(state: MessageState, group: string): MessageState {
  const groups = Object.fromEntries(Object.entries(state.groups).filter(([name]) => name !== group));
  return settled({ ...state, groups }, true);
}

function cancel(world: MessageWorld, { state, answer, moment }: Here, key: string | undefined): Next {
  const told = answer?.of === 'cancel' ? answer.verdict : undefined;
  const first = key === undefined ? undefined : state.answers[key];
  if (first !== undefined) {
    if (told === undefined) return [];
    if (!fits(told, first)) return `the first answer to its key was ${describeVerdict(first)}`;
    // Where the first answer was lost, and said more than is known of the leases, this one tells what it was.
    return told.leasedUntilMs === undefined ? [state] : [withAnswer(state, key, told)];
  }
  const next = each(mayHaveBecome(state, Object.keys(state.groups), world, moment), (one) => {
    const { verdict, after } = cancelled(one);
    if (told !== undefined && !fits(told, verdict)) return `the message is ${describeVerdict(verdict)}`;
    return [withAnswer(after, key, told ?? verdict)];
  });
  return answer === undefined ? changed(state, next) : next;
}

const withAnswer = (state: MessageState, key: string | undefined, verdict: Verdict): MessageState =>
  key === undefined ? state : { ...state, answers: { ...state.answers, [key]: verdict } };

/** The table of verdicts. */
function cancelled(state: MessageState): { readonly verdict: Verdict; readonly after: MessageState } {
  const { life } = state;
  if (life === 'absent') return { verdict: { kind: 'notFound' }, after: state };
  if (life !== 'stored') return { verdict: life, after: state };
  const holds = Object.values(state.groups);
  const leases = holds.filter((hold) => hold.kind === 'leased');
  if (leases.length > 0) {
    const leastMs = Math.max(...leases.map(({ untilMs }) => untilMs));
    const exact = leases.every((lease) => lease.exact);
    return {
      verdict: exact ? { kind: 'leased', leasedUntilMs: leastMs } : { kind: 'leased', leasedAtLeastMs: leastMs },
      after: state,
    };
  }
  const end = holds.every(({ kind }) => kind === 'waiting')
    ? ({ kind: 'cancelled' } as const)
    : ({
        kind: 'stopped',
        attempts: Math.max(0, ...holds.map((hold) => ('attempt' in hold ? hold.attempt : 0))),
      } as const);
  return { verdict: end, after: { ...state, life: end } };
}

function fits(told: CancelAnswer, verdict: Verdict): boolean {
  const same = (a: number | undefined, b: number | undefined): boolean => a === undefined || b === undefined || a === b;
  return (
    told.kind === verdict.kind &&
    same(told.leasedUntilMs, verdict.leasedUntilMs) &&
    (told.leasedUntilMs ?? Number.POSITIVE_INFINITY) >= (verdict.leasedAtLeastMs ?? Number.NEGATIVE_INFINITY) &&
    same(told.attempts, verdict.attempts)
  );
}

function get(world: MessageWorld, { state, answer, moment }: Here): Next {
  if (answer?.of !== 'get') return [];
  const { seen } = answer;
  return each(mayHaveBecome(state, Object.keys(state.groups), world, moment), (one) => {
    const expected = seenOf(one);
    if (describeSeen(expected) === describeSeen(seen)) return [one];
    const swept: MessageState = { ...one, life: { kind: 'delivered' } };
    const isSwept = standing(one) && describeSeen(seenOf(swept)) === describeSeen(seen);
    return isSwept ? [swept] : `the message is ${describeSeen(expected)}`;
  });
}

const standing = ({ life }: MessageState): boolean =>
  typeof life !== 'string' && life.kind === 'delivered' && life.stands === true;

function seenOf(state: MessageState): GetAnswer {
  const { life, groups } = state;
  if (life === 'absent') return { state: 'notFound', groups: [] };
  if (life !== 'stored' && !standing(state)) return { state: life.kind, groups: [] };
  const lines = Object.entries(groups).map(([group, hold]) => ({
    group,
    state: hold.kind,
    attempts: 'attempt' in hold ? hold.attempt : 0,
  }));
  if (life !== 'stored') return { state: life.kind, groups: lines };
  return { state: lines.every(({ state }) => state === 'waiting') ? 'waiting' : 'outstanding', groups: lines };
}

function lease(world: MessageWorld, { state, answer, moment }: Here, group: string): Next {
  // Receives without an answer are in the world (`lostLeases`), since which messages they took nobody knows.
  if (answer?.of !== 'lease') return [];
  const { token, attempt, untilMs } = answer.lease;
  if (state.life !== 'stored')
    return `the message is ${state.life === 'absent' ? 'not there' : describeVerdict(state.life)}`;
  if (state.groups[group] === undefined) return `there is no group ${group}`;
  if (moment.latestMs < world.dueMs - world.skewMs)
    return `it is not due before ${(world.dueMs - world.skewMs).toFixed(1)}`;
  if (token <= state.lastToken) return `token ${token} is not above ${state.lastToken}`;
  return each(mayHaveBecome(state, [group], world, moment), (one) => {
    const hold = one.groups[group] ?? { kind: 'waiting' };
    if (hold.kind !== 'waiting' && hold.kind !== 'retry') return `${group} has it ${describeHold(hold)}`;
    const before = hold.kind === 'retry' ? hold.attempt : 0;
    if (attempt !== before + 1) return `attempt ${before} came before it`;
    const until =
      answer.lease.toldLate === true
        ? { untilMs: Math.min(untilMs, world.dueMs - world.skewMs), exact: false }
        : { untilMs, exact: true };
    return [{ ...withHold(one, group, { kind: 'leased', token, ...until, attempt }), lastToken: token }];
  });
}

interface Settle {
  readonly kind: 'ack' | 'nack' | 'extend';
  readonly group: string;
  readonly token: number;
}

function settle(world: MessageWorld, { state, answer, moment }: Here, call: Settle): Next {
  const told = answer?.of === 'settle' ? answer.settled : undefined;
  const times = told === undefined ? [state] : mayHaveBecome(state, [call.group], world, moment);
  const next = each(times, (one) => {
    const { result, after } = settledBy(world, one, call, told);
    if (told !== undefined && told.result !== result) return `it is ${result} here`;
    return [after];
  });
  return told === undefined ? changed(state, next) : next;
}

function settledBy(
  world: MessageWorld,
  state: MessageState,
  { kind, group, token }: Settle,
  told: SettleAnswer | undefined,
): { readonly result: string; readonly after: MessageState } {
  const hold = state.life === 'stored' ? state.groups[group] : ({ kind: 'done' } as const);
  if (hold === undefined || hold.kind === 'waiting') return { result: 'notFound', after: state };
  // Acknowledging what is settled is a success, so that a repeat is; the others have nothing left to hold on to.
  if (hold.kind === 'done') return { result: kind === 'ack' ? 'ok' : 'receiptNotCurrent', after: state };
  if (hold.kind !== 'leased' || hold.token !== token) {
    const repeatedNack = kind === 'nack' && hold.kind !== 'leased' && hold.token === token;
    return { result: repeatedNack ? 'ok' : 'receiptNotCurrent', after: state };
  }
  switch (kind) {
    case 'ack':
      return { result: 'ok', after: settled(withHold(state, group, { kind: 'done' })) };
    case 'nack':
      return { result: 'ok', after: withHold(state, group, failed(hold, world.maxAttempts)) };
    case 'extend': {
      const untilMs = told?.untilMs;
      if (untilMs === undefined) return { result: 'ok', after: withHold(state, group, { ...hold, exact: false }) };
      // An extension never shortens a lease.
      if (untilMs < hold.untilMs) return { result: `ok until ${hold.untilMs} at least`, after: state };
      return { result: 'ok', after: withHold(state, group, { ...hold, untilMs, exact: true }) };
    }
    default:
      return kind satisfies never;
  }
}

function describeVerdict({ kind, leasedUntilMs, leasedAtLeastMs, attempts }: Verdict): string {
  const until = leasedUntilMs === undefined ? '' : ` until ${leasedUntilMs}`;
  const least = leasedAtLeastMs === undefined ? '' : ` until ${leasedAtLeastMs} at least`;
  return `${kind}${until}${least}${attempts === undefined ? '' : ` after ${attempts}`}`;
}

const describeHold = (hold: Hold): string =>
  `${hold.kind}${hold.kind === 'leased' ? ` with token ${hold.token ?? 'unknown'} until ${hold.untilMs}` : ''}`;

const describeSeen = ({ state, groups }: GetAnswer): string =>
  [state, ...groups.map((line) => `${line.group} ${line.state} ${line.attempts}`).sort()].join(', ');

function describeCall(call: MessageCall): string {
  switch (call.kind) {
    case 'schedule':
    case 'get':
      return call.kind;
    case 'cancel':
      return call.key === undefined ? 'cancel' : `cancel (key ${call.key.slice(0, 6)})`;
    case 'lease':
    case 'createGroup':
    case 'deleteGroup':
      return `${call.kind} ${call.group}`;
    case 'ack':
    case 'nack':
    case 'extend':
      return `${call.kind} ${call.group} ${call.token}`;
    default:
      return call satisfies never;
  }
}

function describeAnswer(answer: MessageAnswer): string {
  switch (answer.of) {
    case 'cancel':
      return `-> ${describeVerdict(answer.verdict)}`;
    case 'get':
      return `-> ${describeSeen(answer.seen)}`;
    case 'lease':
      return `-> token ${answer.lease.token}, attempt ${answer.lease.attempt}, until ${answer.lease.untilMs}`;
    case 'settle':
      return `-> ${answer.settled.result}${answer.settled.untilMs === undefined ? '' : ` until ${answer.settled.untilMs}`}`;
    case 'done':
      return '-> done';
    default:
      return answer satisfies never;
  }
}

/**
 * Whether a repeat of the receive may have extended the lease before it was told of: that happens when under half of it is
 * left, so not before the receive has taken as long, by clocks of the cluster: whoever made the lease, whoever extended it, and
 * what its end is counted from may each be wrong by `skewMs`.
 */
export function mayBeToldLate(
  { invokedMs, endedMs, untilMs }: { invokedMs: number; endedMs: number; untilMs: number },
  skewMs: number,
) {
  return endedMs - invokedMs + 3 * skewMs >= (untilMs - endedMs) / 2;
}
