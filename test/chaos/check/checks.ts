// What must hold of a history, whoever made it. Shares no code with the product. Each check has a history that it refuses
// (checks.test.ts). A check returns sentences, none when all is well.
import { judgeAll } from '../../linearizable/objects.ts';
import type { HistoryEvent } from '../history.ts';
import { messageObjects } from './message-objects.ts';

type Of<K extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: K }>;
const of = <K extends HistoryEvent['kind']>(history: readonly HistoryEvent[], kind: K): readonly Of<K>[] =>
  history.filter((event): event is Of<K> => event.kind === kind);

type Check = (history: readonly HistoryEvent[]) => readonly string[];

/** Groups come from what was received and from the final counts: a group that got nothing at all is one, too. */
const groupsOf = (history: readonly HistoryEvent[]) =>
  new Set([
    ...of(history, 'received').map(({ group }) => group),
    ...of(history, 'final').flatMap(({ groups }) => groups.map(({ group }) => group)),
  ]);

/** Acknowledged, not ended by a cancel (or perhaps ended by one whose answer was lost), and some group never got it. */
const lost: Check = (history) => {
  const perhapsEnded = new Set(
    of(history, 'cancelEnded')
      .filter(({ verdict }) => ['cancelled', 'stopped', 'unknown'].includes(verdict))
      .map(({ id }) => id),
  );
  const got = new Set(of(history, 'received').map(({ group, id }) => `${group} ${id}`));
  const groups = [...groupsOf(history)];
  return of(history, 'scheduleEnded').flatMap(({ id, number, outcome }) =>
    outcome !== 'ok' || id === undefined || perhapsEnded.has(id)
      ? []
      : groups
          .filter((group) => !got.has(`${group} ${id}`))
          .map((group) => `message ${number} (${id}) never reached ${group}`),
  );
};

/** Delivered without ever having been sent, or although its schedule was refused. */
const unexpected: Check = (history) => {
  const invoked = new Set(of(history, 'scheduleInvoked').map(({ number }) => number));
  const refused = new Set(
    of(history, 'scheduleEnded')
      .filter(({ outcome }) => outcome === 'failed')
      .map(({ number }) => number),
  );
  return of(history, 'received').flatMap(({ number, group }) =>
    invoked.has(number) && !refused.has(number) ? [] : [`message ${number} reached ${group} and was never accepted`],
  );
};

/** Before the instant that was asked for, or before the one that was answered. */
const early: Check = (history) => {
  const due = new Map(of(history, 'scheduleInvoked').map(({ number, dueMs }) => [number, dueMs]));
  for (const { number, deliverAtMs } of of(history, 'scheduleEnded'))
    if (deliverAtMs !== undefined) due.set(number, Math.max(deliverAtMs, due.get(number) ?? 0));
  return of(history, 'received').flatMap(({ number, atMs, group }) => {
    const dueMs = due.get(number);
    return dueMs !== undefined && atMs < dueMs ? [`message ${number} reached ${group} ${dueMs - atMs} ms early`] : [];
  });
};

/** `cancelled`: no group ever gets it. `stopped`, or acknowledged by a group: no receive that was asked for later gets it. */
const deliveredAfterDefiniteEnd: Check = (history) => {
  const verdicts = new Map(
    of(history, 'cancelEnded')
      .filter(({ verdict }) => verdict === 'cancelled' || verdict === 'stopped')
      .map((event) => [event.id, event]),
  );
  const acknowledged = new Map<string, number>();
  for (const { how, result, group, id, atMs } of of(history, 'settleEnded')) {
    const key = `${group} ${id}`;
    if (how === 'ack' && result === 'ok')
      acknowledged.set(key, Math.min(atMs, acknowledged.get(key) ?? Number.POSITIVE_INFINITY));
  }
  return of(history, 'received').flatMap(({ id, group, invokedMs, number }) => {
    const end = verdicts.get(id);
    if (end?.verdict === 'cancelled') return [`message ${number} was cancelled, and reached ${group}`];
    if (end?.verdict === 'stopped' && invokedMs > end.atMs)
      return [`message ${number} was stopped, and reached ${group} later`];
    const ackMs = acknowledged.get(`${group} ${id}`);
    return ackMs !== undefined && invokedMs > ackMs
      ? [`message ${number} was acknowledged in ${group}, and came again`]
      : [];
  });
};

interface LeaseSeen {
  readonly token: number;
  readonly number: number;
  readonly grantedMs: number;
  readonly receiveIds: Set<string>;
  untilMs: number;
  nackedMs: number;
}

/** Leases of each message in each group, in the order of the log (tokens rise with it). Times are the cluster's clock. */
function leasesOf(history: readonly HistoryEvent[]): Map<string, LeaseSeen[]> {
  const leases = new Map<string, Map<number, LeaseSeen>>();
  for (const event of history) {
    if (event.kind === 'received') {
      const key = `${event.group} ${event.id}`;
      const byToken = leases.get(key) ?? new Map<number, LeaseSeen>();
      leases.set(key, byToken);
      const seen = byToken.get(event.token);
      if (seen === undefined) {
        byToken.set(event.token, {
          token: event.token,
          number: event.number,
          grantedMs: event.leasedUntilMs - event.leaseMs,
          receiveIds: new Set([event.receiveId]),
          untilMs: event.leasedUntilMs,
          nackedMs: Number.POSITIVE_INFINITY,
        });
      } else {
        seen.receiveIds.add(event.receiveId);
        seen.untilMs = Math.max(seen.untilMs, event.leasedUntilMs);
      }
    } else if (event.kind === 'settleInvoked' && event.how === 'nack') {
      const seen = leases.get(`${event.group} ${event.id}`)?.get(event.token);
      if (seen !== undefined) seen.nackedMs = Math.min(seen.nackedMs, event.atMs);
    } else if (event.kind === 'settleEnded' && event.how === 'extend' && event.result === 'ok') {
      const seen = leases.get(`${event.group} ${event.id}`)?.get(event.token);
      if (seen !== undefined) seen.untilMs = Math.max(seen.untilMs, event.leasedUntilMs ?? 0);
    }
  }
  return new Map([...leases].map(([key, byToken]) => [key, [...byToken.values()].sort((a, b) => a.token - b.token)]));
}

/** One lease was granted while the one before still ran (nobody had given it back). */
const overlappingLeases: Check = (history) =>
  [...leasesOf(history)].flatMap(([key, leases]) =>
    leases.slice(1).flatMap((lease, at) => {
      const before = leases[at];
      if (before === undefined || before.nackedMs !== Number.POSITIVE_INFINITY || lease.grantedMs >= before.untilMs)
        return [];
      return [
        `${key} (message ${lease.number}): token ${lease.token} granted at ${lease.grantedMs}, token ${before.token} ran until ${before.untilMs}`,
      ];
    }),
  );

/** The same lease in the hands of two receives. */
const leaseGivenTwice: Check = (history) =>
  [...leasesOf(history)].flatMap(([key, leases]) =>
    leases
      .filter(({ receiveIds }) => receiveIds.size > 1)
      .map(({ token, receiveIds }) => `${key}: token ${token} answered ${receiveIds.size} receives`),
  );

/** A second delivery of a message whose first lease neither ran out nor was given back. */
const unexplainedRepeats: Check = (history) =>
  [...leasesOf(history)].flatMap(([key, leases]) =>
    leases.slice(1).flatMap((lease, at) => {
      const before = leases[at];
      if (before === undefined) return [];
      const arrived =
        of(history, 'received').find(({ token, id, group }) => token === lease.token && `${group} ${id}` === key)
          ?.atMs ?? 0;
      const explained = before.nackedMs <= arrived || lease.grantedMs >= before.untilMs;
      return explained
        ? []
        : [`${key}: came again with token ${lease.token}, and the lease ${before.token} had not ended`];
    }),
  );

/** A group's acknowledgements are at least those that a client was told of; nothing is outstanding; every replica is equal. */
const countsThatDoNotAddUp: Check = (history) => {
  const [final] = of(history, 'final');
  if (final === undefined) return ['the end was never reached'];
  // Nothing is above or below what nobody said: without them the rest would pass.
  if (!Number.isInteger(final.scheduled) || final.groups.length === 0) return ['nobody said the counts at the end'];
  if (of(history, 'received').length === 0) return ['nothing was delivered at all: a run over nothing shows nothing'];
  const faults: string[] = [];
  if (new Set(final.stateHashes).size !== 1) faults.push(`the replicas differ: ${final.stateHashes.join(', ')}`);
  const definitely = of(history, 'scheduleEnded').filter(({ outcome }) => outcome === 'ok').length;
  const perhaps = of(history, 'scheduleInvoked').length;
  if (final.scheduled < definitely || final.scheduled > perhaps)
    faults.push(`${final.scheduled} are counted as scheduled, ${definitely} were acknowledged, ${perhaps} asked for`);
  for (const { group, acknowledged, outstanding, dead } of final.groups) {
    const told = new Set(
      of(history, 'settleEnded')
        .filter((event) => event.how === 'ack' && event.group === group && event.result === 'ok')
        .map(({ id }) => id),
    ).size;
    if (outstanding + dead > 0) faults.push(`${group}: ${outstanding} outstanding and ${dead} dead at the end`);
    if (acknowledged < told) faults.push(`${group}: ${acknowledged} are counted as acknowledged, ${told} were told so`);
    if (acknowledged + final.cancelled + final.stopped < final.scheduled)
      faults.push(
        `${group}: ${final.scheduled} scheduled, but ${acknowledged} acknowledged + ${final.cancelled} cancelled + ${final.stopped} stopped`,
      );
  }
  return faults;
};

/** A node that dies is started again, and a request that met a fault is repeated: neither would be noticed by what came. */
const ownFaults: Check = (history) => of(history, 'ownFault').map(({ what }) => what);

/**
 * No fault lasts longer than 12 s, two at once leave nobody for as long, and a consumer may have several slow ones before a
 * message: what is later than this is late because the cluster did not go on.
 */
const mostLateMs = 60_000;

/** Of every message and in every group the first delivery, from when it was due, and its schedule was answered. */
const tooLate: Check = (history) => {
  const due = new Map(of(history, 'scheduleInvoked').map(({ number, dueMs }) => [number, dueMs]));
  for (const { number, outcome, atMs, deliverAtMs } of of(history, 'scheduleEnded')) {
    if (outcome === 'ok') due.set(number, Math.max(atMs, deliverAtMs ?? 0, due.get(number) ?? 0));
    // When it was stored nobody knows, if it was.
    else due.delete(number);
  }
  const came = new Set<string>();
  return of(history, 'received').flatMap(({ group, number, atMs }) => {
    const name = `${group} ${number}`;
    const lateMs = atMs - (due.get(number) ?? atMs);
    const isFirst = !came.has(name);
    came.add(name);
    return isFirst && lateMs > mostLateMs ? [`message ${number} reached ${group} ${lateMs} ms late`] : [];
  });
};

/** All that clients were told of one message, in one order that time allows (test/linearizable). */
const withoutAnOrder: Check = (history) => judgeAll(messageObjects(history)).faults;

export const checks: Readonly<Record<string, Check>> = {
  lost,
  unexpected,
  early,
  'later than faults explain': tooLate,
  'delivered after a definite end': deliveredAfterDefiniteEnd,
  'leases that overlap in the order of the log': overlappingLeases,
  'one lease given to two receives': leaseGivenTwice,
  'repeats not explained by a lease that ended': unexplainedRepeats,
  'without an order in which it could have happened': withoutAnOrder,
  'counts that do not add up': countsThatDoNotAddUp,
  'nodes that failed by themselves': ownFaults,
};

/** First delivery to any group minus due time, ms. */
export function lateness(history: readonly HistoryEvent[]): number[] {
  const due = new Map(of(history, 'scheduleInvoked').map(({ number, dueMs }) => [number, dueMs]));
  const first = new Map<number, number>();
  for (const { number, atMs } of of(history, 'received')) if (!first.has(number)) first.set(number, atMs);
  return [...first].map(([number, atMs]) => atMs - (due.get(number) ?? atMs));
}
