// Random histories of one message: real ones, and ones in which one answer was changed.
import type { Random } from '../simulator/random.ts';
import type { MessageAnswer, MessageCall } from './message.ts';
import type { MessageWorld } from './message-state.ts';
import { OneMessage } from './one-message.ts';
import type { Operation } from './operation.ts';

export type MessageOperation = Operation<MessageCall, MessageAnswer>;

export const storyWorld: MessageWorld = {
  groups: ['a', 'b'],
  dueMs: 20,
  skewMs: 0,
  maxAttempts: 3,
  lostLeases: 'none',
  attemptsSeen: 9,
};
const leaseMs = 25;

/** Commands at random instants, each within a random interval; some answers are lost, and some of those had no effect. */
export function realStory(random: Random, length: number): MessageOperation[] {
  const { groups, dueMs, maxAttempts } = storyWorld;
  const message = new OneMessage({ groups, dueMs, leaseMs, maxAttempts });
  const operations: MessageOperation[] = [seen(random, { kind: 'schedule' }, { of: 'done' }, 0)];
  const leases: { readonly group: string; readonly token: number }[] = [];
  const width = random.pick([1, 10, 40]);
  let nowMs = 10 + width;
  while (operations.length < length) {
    nowMs += random.int(0, 12);
    if (random.chance(0.7)) message.release(nowMs);
    const call = draw(random, groups, leases);
    // Nobody knows what the answer to a receive would have been, so those are in the world and not in the history.
    const isLost = call.kind !== 'lease' && random.chance(0.15);
    if (isLost) operations.push(lost(random, call, nowMs, width));
    if (isLost && random.chance(0.5)) continue;
    const answer = carryOut(message, call, nowMs);
    if (isLost || answer === undefined) continue;
    if (answer.of === 'lease' && call.kind === 'lease') leases.push({ group: call.group, token: answer.lease.token });
    operations.push(seen(random, call, answer, nowMs, width));
  }
  return operations;
}

function draw(
  random: Random,
  groups: readonly string[],
  leases: readonly { readonly group: string; readonly token: number }[],
): MessageCall {
  const chance = random.next();
  if (chance < 0.15) return { kind: 'get' };
  if (chance < 0.3) return { kind: 'cancel', key: random.chance(0.3) ? random.pick(['k1', 'k2']) : undefined };
  if (chance < 0.6 || leases.length === 0) return { kind: 'lease', group: random.pick(groups) };
  return { kind: random.pick(['ack', 'nack', 'extend']), ...random.pick(leases) };
}

function carryOut(message: OneMessage, call: MessageCall, nowMs: number): MessageAnswer | undefined {
  switch (call.kind) {
    case 'get':
      return { of: 'get', seen: message.get() };
    case 'cancel':
      return { of: 'cancel', verdict: message.cancel(call.key) };
    case 'lease': {
      const lease = message.lease(call.group, nowMs);
      return lease === undefined ? undefined : { of: 'lease', lease };
    }
    case 'ack':
    case 'nack':
    case 'extend':
      return { of: 'settle', settled: message.settle(call.kind, call.group, call.token, nowMs) };
    case 'schedule':
    case 'createGroup':
    case 'deleteGroup':
      return { of: 'done' };
    default:
      return call satisfies never;
  }
}

function seen(random: Random, call: MessageCall, answer: MessageAnswer, atMs: number, width = 0): MessageOperation {
  const invokedMs = Math.max(atMs - random.int(0, width), 0);
  return { call, invokedMs, endedMs: atMs + random.int(0, width), outcome: { kind: 'ok', answer } };
}

const lost = (random: Random, call: MessageCall, atMs: number, width: number): MessageOperation => ({
  call,
  invokedMs: Math.max(atMs - random.int(0, width), 0),
  endedMs: 0,
  outcome: { kind: 'unknown' },
});

/** The same history, with another answer in one place; undefined when the answer drawn can not be another one. */
export function withOneLie(random: Random, story: readonly MessageOperation[]): MessageOperation[] | undefined {
  const at = random.int(0, story.length - 1);
  const operation = story[at];
  if (operation?.outcome.kind !== 'ok') return undefined;
  const answer = lieAbout(random, operation.outcome.answer);
  if (answer === undefined || JSON.stringify(answer) === JSON.stringify(operation.outcome.answer)) return undefined;
  return story.toSpliced(at, 1, { ...operation, outcome: { kind: 'ok', answer } });
}

function lieAbout(random: Random, answer: MessageAnswer): MessageAnswer | undefined {
  switch (answer.of) {
    case 'done':
      return undefined;
    case 'cancel': {
      const kind = random.pick(['cancelled', 'stopped', 'leased', 'delivered', 'notFound']);
      return { of: 'cancel', verdict: kind === answer.verdict.kind ? { ...answer.verdict, attempts: 7 } : { kind } };
    }
    case 'get': {
      const state = random.pick(['waiting', 'delivered', 'cancelled', 'stopped']);
      const groups = state === 'waiting' ? storyWorld.groups : [];
      return {
        of: 'get',
        seen: { state, groups: groups.map((group) => ({ group, state: 'waiting', attempts: 0 })) },
      };
    }
    case 'lease': {
      const { token, attempt, untilMs } = answer.lease;
      return random.chance(0.5)
        ? { of: 'lease', lease: { token, untilMs, attempt: attempt + 1 } }
        : { of: 'lease', lease: { token: Math.max(token - 1, 0), untilMs, attempt } };
    }
    case 'settle':
      return { of: 'settle', settled: { result: answer.settled.result === 'ok' ? 'receiptNotCurrent' : 'ok' } };
    default:
      return answer satisfies never;
  }
}
