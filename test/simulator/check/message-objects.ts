// What clients of the simulator saw, message by message, as the checker of linearizability takes it.
import { firstAnswer } from '../../linearizable/first-answer.ts';
import {
  type MessageAnswer,
  type MessageCall,
  mayBeToldLate,
  messageSpecification,
} from '../../linearizable/message.ts';
import { type ObjectHistory, objectOf } from '../../linearizable/objects.ts';
import type { Operation, Outcome } from '../../linearizable/operation.ts';
import type { Cancelled, Delivered, EmptyReceive, History, Scheduled, Settled, Tag } from '../work/history.ts';
import type { Evidence } from './evidence.ts';

type Op = Operation<MessageCall, MessageAnswer>;
type Timed = Pick<Op, 'invokedMs' | 'endedMs'>;
type Surroundings = Pick<Evidence, 'history' | 'skewMs' | 'clockLagMs' | 'undisturbed'>;

const ok = (answer: MessageAnswer): Outcome<MessageAnswer> => ({ kind: 'ok', answer });
const unknown = { kind: 'unknown' } as const;
const failed = { kind: 'failed' } as const;
const at = ({ invokedMs, endedMs }: Timed): Timed => ({ invokedMs, endedMs });

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** Groups of the simulator give up after so many attempts as no run has. */
const maxAttempts = 1_000_000;

export function* messageObjects(evidence: Surroundings): Generator<ObjectHistory> {
  const { history } = evidence;
  const byTag = new Map<Tag, Op[]>([...history.scheduled].map(([tag, scheduled]) => [tag, [scheduleOf(scheduled)]]));
  const add = (tag: Tag, ...operations: readonly Op[]): void => {
    byTag.get(tag)?.push(...operations);
  };
  for (const leases of leasesOf(history).values()) {
    const [lease] = leases;
    if (lease === undefined) continue;
    add(lease.tag, leaseOf(lease, Math.min(...leases.map(({ invokedMs }) => invokedMs)), evidence.skewMs));
    const longer = leases.filter(({ leasedUntilMs }) => leasedUntilMs > lease.leasedUntilMs);
    add(lease.tag, ...longer.map(extensionOf));
  }
  for (const cancelled of history.cancelled) add(cancelled.tag, cancelOf(cancelled));
  const byReceipt = new Map(history.delivered.map((delivered) => [delivered.receipt, delivered]));
  for (const settled of history.settled) {
    const delivered = byReceipt.get(settled.receipt);
    if (delivered !== undefined) add(delivered.tag, ...settlesOf(settled, delivered, evidence.undisturbed));
  }
  for (const { state, groups, tag, ...times } of history.looked)
    add(tag, { ...at(times), call: { kind: 'get' }, outcome: ok({ of: 'get', seen: { state, groups } }) });
  for (const [tag, operations] of byTag) {
    const scheduled = history.scheduled.get(tag);
    if (scheduled === undefined) continue;
    const ofGroups = history.groupChanges.flatMap((change): readonly Op[] =>
      change.topic !== scheduled.topic
        ? []
        : [
            {
              ...at(change),
              call: { kind: change.kind, group: change.group },
              outcome: change.endedMs === Number.POSITIVE_INFINITY ? unknown : ok({ of: 'done' }),
            },
          ],
    );
    yield objectOf(`message ${tag}`, messageSpecification(worldOf(evidence, scheduled, operations)), [
      ...ofGroups,
      ...operations,
    ]);
  }
}

/** Requests that were sent more than once with one idempotency key. */
export function* keyObjects({ keyed }: Pick<History, 'keyed'>): Generator<ObjectHistory> {
  for (const [key, answers] of grouped(keyed, ({ key }) => key)) {
    if (answers.length < 2) continue;
    const asked = answers.map(
      ({ answer, ...times }): Operation<'ask', string> => ({
        ...at(times),
        call: 'ask',
        outcome: { kind: 'ok', answer },
      }),
    );
    yield objectOf(`idempotency key ${key.slice(0, 8)}`, firstAnswer, asked);
  }
}

function worldOf({ history, skewMs, clockLagMs, undisturbed }: Surroundings, scheduled: Scheduled, all: readonly Op[]) {
  const { topic, dueMs, delayed, deliverAtMs } = scheduled;
  const firstMs = deliverAtMs ?? dueMs - skewMs - clockLagMs;
  const lastMs = Math.max(...all.map(({ endedMs }) => endedMs));
  const isEmpty = ({ topic: of, endedMs }: EmptyReceive): boolean =>
    of === topic && endedMs >= firstMs && endedMs <= lastMs;
  const givenBack = history.emptyReceives.some(isEmpty) ? ('givenBack' as const) : ('none' as const);
  const attempts = all.map(({ outcome }) => (outcome.kind === 'ok' ? attemptsIn(outcome.answer) : 0));
  return {
    groups: [...history.groups].filter((name) => name.startsWith(`${topic}/`)).map((name) => name.split('/')[1] ?? ''),
    // Nobody said when: a delay began on a clock that may have been behind.
    dueMs: deliverAtMs ?? (delayed ? dueMs - skewMs - clockLagMs : dueMs),
    skewMs,
    maxAttempts,
    lostLeases: undisturbed ? givenBack : ('any' as const),
    attemptsSeen: Math.max(0, ...attempts),
  };
}

function attemptsIn(answer: MessageAnswer): number {
  if (answer.of === 'lease') return answer.lease.attempt;
  if (answer.of === 'cancel') return answer.verdict.attempts ?? 0;
  return answer.of === 'get' ? Math.max(0, ...answer.seen.groups.map(({ attempts }) => attempts)) : 0;
}

const scheduleOf = ({ outcome, ...times }: Scheduled): Op => ({
  ...at(times),
  call: { kind: 'schedule' },
  outcome: outcome === 'stored' ? ok({ of: 'done' }) : outcome === 'refused' ? failed : unknown,
});

/** A receive that is repeated gets the same lease: it was made once, and may have been extended before it is seen again. */
const leasesOf = ({ delivered }: History): ReadonlyMap<string, readonly Delivered[]> =>
  grouped(
    delivered.toSorted((a, b) => a.atMs - b.atMs),
    ({ tag, group, token }) => `${tag} ${group} ${token}`,
  );

const leaseOf = ({ group, token, attempt, leasedUntilMs, atMs }: Delivered, invokedMs: number, skewMs: number): Op => ({
  invokedMs,
  endedMs: atMs,
  call: { kind: 'lease', group },
  outcome: ok({
    of: 'lease',
    lease: {
      token,
      attempt,
      untilMs: leasedUntilMs,
      toldLate: mayBeToldLate({ invokedMs, endedMs: atMs, untilMs: leasedUntilMs }, skewMs),
    },
  }),
});

/** A receive that is repeated when little is left of the lease extends it. */
const extensionOf = ({ group, token, leasedUntilMs, invokedMs, atMs }: Delivered): Op => ({
  invokedMs,
  endedMs: atMs,
  call: { kind: 'extend', group, token },
  outcome: ok({ of: 'settle', settled: { result: 'ok', untilMs: leasedUntilMs } }),
});

function cancelOf({ key, verdict, leasedUntilMs, attempts, ...times }: Cancelled): Op {
  const unanswered = verdict === 'pending' || verdict === 'unknown' || verdict === 'aborted';
  const answered = ok({ of: 'cancel', verdict: { kind: verdict, leasedUntilMs, attempts } });
  return {
    ...at(times),
    call: { kind: 'cancel', key },
    outcome: unanswered ? unknown : verdict === 'refused' ? failed : answered,
  };
}

/**
 * A nack or an extend that the carrier had to repeat may have happened twice: once for the answer, and once more, at any
 * time. For an ack that makes no difference.
 */
function settlesOf(
  { verb, result, leasedUntilMs, ...times }: Settled,
  { group, token }: Delivered,
  undisturbed: boolean,
): readonly Op[] {
  const call = { kind: verb, group, token } as const;
  const unanswered = result === 'pending' || result === 'unknown';
  const answered = ok({ of: 'settle', settled: { result, untilMs: leasedUntilMs } });
  const outcome = unanswered ? unknown : result === 'refused' ? failed : answered;
  const again: Op = { ...at(times), call, outcome: unknown };
  return [{ ...at(times), call, outcome }, ...(undisturbed || verb === 'ack' ? [] : [again])];
}
