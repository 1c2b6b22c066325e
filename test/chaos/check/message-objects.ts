// The history of a chaos run, message by message, as the checker of linearizability takes it.
import {
  type MessageAnswer,
  type MessageCall,
  mayBeToldLate,
  messageSpecification,
} from '../../linearizable/message.ts';
import { type ObjectHistory, objectOf } from '../../linearizable/objects.ts';
import type { Operation, Outcome } from '../../linearizable/operation.ts';
import type { HistoryEvent } from '../history.ts';

type Op = Operation<MessageCall, MessageAnswer>;
type Of<K extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: K }>;

const ok = (answer: MessageAnswer): Outcome<MessageAnswer> => ({ kind: 'ok', answer });
const unknown = { kind: 'unknown' } as const;
/** Nodes and clients read one clock, in whole ms. */
const skewMs = 5;
const maxAttempts = 1_000;
const verdicts: ReadonlySet<string> = new Set([
  'cancelled',
  'stopped',
  'leased',
  'delivered',
  'skipped',
  'notFound',
  'forgotten',
]);
const results: ReadonlySet<string> = new Set(['ok', 'receiptNotCurrent', 'notFound']);

/** One message, while the history is read. */
interface Message {
  readonly number: number;
  readonly invokedMs: number;
  dueMs: number;
  readonly operations: Op[];
}

export function messageObjects(history: readonly HistoryEvent[]): readonly ObjectHistory[] {
  const messages = new Map<number, Message>();
  const numbers = new Map<string, number>();
  for (const event of history) {
    if (event.kind === 'scheduleInvoked')
      messages.set(event.number, { number: event.number, invokedMs: event.atMs, dueMs: event.dueMs, operations: [] });
    if ((event.kind === 'scheduleEnded' || event.kind === 'received') && event.id !== undefined)
      numbers.set(event.id, event.number);
  }
  const reader = new Reader((id) => messages.get(numbers.get(id) ?? -1), messages);
  for (const event of history) reader.read(event);
  reader.end();
  const groups = groupsOf(history);
  return [...messages.values()].map(({ number, dueMs, operations }) => {
    const attempts = operations.map(({ outcome }) => (outcome.kind === 'ok' ? attemptsIn(outcome.answer) : 0));
    const attemptsSeen = Math.max(0, ...attempts);
    // Answers of receives are lost all the time: that is what the links do.
    const world = { groups: [], dueMs, skewMs, maxAttempts, lostLeases: 'any' as const, attemptsSeen };
    return objectOf(`message ${number}`, messageSpecification(world), [...groups, ...operations]);
  });
}

/** A group is made by the first receive, with its start before everything, and was there when that was answered. */
function groupsOf(history: readonly HistoryEvent[]): readonly Op[] {
  const firstMs = new Map<string, number>();
  for (const event of history) {
    if (event.kind === 'received')
      firstMs.set(event.group, Math.min(event.atMs, firstMs.get(event.group) ?? event.atMs));
  }
  return [...firstMs].map(([group, endedMs]) => ({
    call: { kind: 'createGroup', group },
    invokedMs: Number.NEGATIVE_INFINITY,
    endedMs,
    outcome: ok({ of: 'done' }),
  }));
}

function attemptsIn(answer: MessageAnswer): number {
  if (answer.of === 'lease') return answer.lease.attempt;
  if (answer.of === 'cancel') return answer.verdict.attempts ?? 0;
  return answer.of === 'get' ? Math.max(0, ...answer.seen.groups.map(({ attempts }) => attempts)) : 0;
}

/** Pairs what was invoked with how it ended. What never ended may still happen. */
class Reader {
  readonly #byId: (id: string) => Message | undefined;
  readonly #byNumber: ReadonlyMap<number, Message>;
  readonly #scheduled = new Set<number>();
  readonly #cancels = new Map<string, Of<'cancelInvoked'>>();
  /** One consumer settles a lease, one thing after the other. */
  readonly #settles = new Map<string, Of<'settleInvoked'>>();
  /** A receive that is repeated gets the same lease: it was made once. */
  readonly #leases = new Map<string, Of<'received'>>();

  constructor(byId: (id: string) => Message | undefined, byNumber: ReadonlyMap<number, Message>) {
    this.#byId = byId;
    this.#byNumber = byNumber;
  }

  read(event: HistoryEvent): void {
    switch (event.kind) {
      case 'scheduleEnded':
        return this.#schedule(event);
      case 'received':
        return this.#received(event);
      case 'cancelInvoked':
        this.#cancels.set(event.key, event);
        return undefined;
      case 'cancelEnded':
        return this.#cancel(event);
      case 'settleInvoked':
        this.#settles.set(settleKey(event), event);
        return undefined;
      case 'settleEnded':
        return this.#settle(event);
      case 'looked':
        return this.#look(event);
      case 'scheduleInvoked':
      case 'fault':
      case 'ownFault':
      case 'final':
        return undefined;
      default:
        return event satisfies never;
    }
  }

  end(): void {
    for (const { number, invokedMs, operations } of this.#byNumber.values())
      if (!this.#scheduled.has(number))
        operations.push({ call: { kind: 'schedule' }, invokedMs, endedMs: 0, outcome: unknown });
    for (const { id, key, atMs } of this.#cancels.values())
      this.#byId(id)?.operations.push({ call: { kind: 'cancel', key }, invokedMs: atMs, endedMs: 0, outcome: unknown });
    for (const { how, group, token, id, atMs } of this.#settles.values())
      this.#byId(id)?.operations.push({
        call: { kind: how, group, token },
        invokedMs: atMs,
        endedMs: 0,
        outcome: unknown,
      });
  }

  #schedule({ number, atMs, outcome, deliverAtMs }: Of<'scheduleEnded'>): void {
    const message = this.#byNumber.get(number);
    if (message === undefined) return;
    this.#scheduled.add(number);
    message.dueMs = deliverAtMs ?? message.dueMs;
    const { invokedMs } = message;
    message.operations.push({
      call: { kind: 'schedule' },
      invokedMs,
      endedMs: atMs,
      outcome: outcome === 'ok' ? ok({ of: 'done' }) : { kind: outcome },
    });
  }

  /** The first answer that was seen tells until when; the lease is no older than the oldest receive that got it. */
  #received(event: Of<'received'>): void {
    const { number, group, token, attempt, leasedUntilMs, invokedMs, atMs } = event;
    const name = `${number} ${group} ${token}`;
    const operations = this.#byNumber.get(number)?.operations;
    const first = this.#leases.get(name);
    if (first !== undefined) {
      // A receive that is repeated when little is left of the lease extends it.
      if (leasedUntilMs <= first.leasedUntilMs) return;
      const settled = { result: 'ok', untilMs: leasedUntilMs };
      const call = { kind: 'extend', group, token } as const;
      operations?.push({ call, invokedMs, endedMs: atMs, outcome: ok({ of: 'settle', settled }) });
      return;
    }
    this.#leases.set(name, event);
    operations?.push({
      call: { kind: 'lease', group },
      invokedMs,
      endedMs: atMs,
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
  }

  #cancel({ id, key, atMs, verdict, leasedUntilMs, attempts }: Of<'cancelEnded'>): void {
    const invoked = this.#cancels.get(key);
    this.#cancels.delete(key);
    // Of an error that is none of the verdicts nobody can say whether an earlier attempt of the request was applied.
    const outcome = verdicts.has(verdict)
      ? ok({ of: 'cancel', verdict: { kind: verdict, leasedUntilMs, attempts } })
      : unknown;
    this.#byId(id)?.operations.push({
      call: { kind: 'cancel', key },
      invokedMs: invoked?.atMs ?? atMs,
      endedMs: atMs,
      outcome,
    });
  }

  #settle(event: Of<'settleEnded'>): void {
    const { how, group, id, token, atMs, result, leasedUntilMs, sent } = event;
    const invokedMs = this.#settles.get(settleKey(event))?.atMs ?? atMs;
    this.#settles.delete(settleKey(event));
    const operation = { call: { kind: how, group, token }, invokedMs, endedMs: atMs } as const;
    const answered = ok({ of: 'settle', settled: { result, untilMs: leasedUntilMs } });
    const operations = this.#byId(id)?.operations;
    operations?.push({ ...operation, outcome: results.has(result) ? answered : unknown });
    // Sent more than once it may have happened more than once; for an ack that makes no difference.
    if (sent > 1 && how !== 'ack') operations?.push({ ...operation, outcome: unknown });
  }

  #look({ id, invokedMs, atMs, state, groups }: Of<'looked'>): void {
    const outcome = ok({ of: 'get', seen: { state, groups } });
    this.#byId(id)?.operations.push({ call: { kind: 'get' }, invokedMs, endedMs: atMs, outcome });
  }
}

const settleKey = ({ how, group, id, token }: Of<'settleInvoked'> | Of<'settleEnded'>): string =>
  `${how} ${group} ${id} ${token}`;
