import {
  type AnswerOf,
  defaults,
  type ErrorCode,
  errorTable,
  HoldfastError,
  OutcomeUnknownError,
  type RequestOf,
  type Verb,
} from '@holdfast/api';
import { describe, expect, test, vi } from 'vitest';
import { ManualClock, settle } from '../test/manual-clock.ts';
import { type NodeCaller, NodeUnreachable } from './carrier.ts';
import { reactions, repeatRules } from './repeat/rules.ts';
import { createRetryingCarrier, type RetryingCarrier } from './retrying-carrier.ts';

interface Attempt {
  readonly node: string;
  readonly verb: Verb;
  readonly request: RequestOf<Verb>;
  readonly signal: AbortSignal;
  readonly atMs: number;
}

type Reply = object | Error | 'silence';

const n1 = 'http://n1';
const n2 = 'http://n2';
const n3 = 'http://n3';
const scheduled: AnswerOf<'schedule'> = { messages: [{ id: 'm0000001', deliverAtMs: 1 }], repeated: false };
const schedule: RequestOf<'schedule'> = {
  params: { topic: 't' },
  query: {},
  body: { body: 1, delay: 0 },
  idempotencyKey: undefined,
};
const receive: RequestOf<'receive'> = {
  params: { topic: 't', group: 'g' },
  query: {},
  body: { wait: '1s' },
  idempotencyKey: undefined,
};
const counts: RequestOf<'topic'> = { params: { topic: 't' }, query: {}, body: undefined, idempotencyKey: undefined };
const dropped: RequestOf<'deleteGroup'> = {
  params: { topic: 't', group: 'g' },
  query: {},
  body: undefined,
  idempotencyKey: undefined,
};
const refused = (sent: boolean): NodeUnreachable => new NodeUnreachable('it', sent);

/** A cluster that says what `reply` says; looks for the leader are answered apart, and not recorded. */
function cluster(
  reply: (attempt: Attempt, number: number) => Reply,
  options: { nodes?: string[]; giveUpAfterMs?: number; close?: () => Promise<void> } = {},
) {
  const clock = new ManualClock();
  const attempts: Attempt[] = [];
  const silent: { resolve(answer: Promise<never>): void; reject(error: Error): void }[] = [];
  const caller: NodeCaller = {
    call(node, verb, request, signal) {
      if (verb === 'cluster') return Promise.reject(refused(false));
      const attempt = { node, verb, request, signal, atMs: clock.monotonicMs() };
      attempts.push(attempt);
      const answer: Reply = reply(attempt, attempts.length);
      // What a caller that ignores its signal does: the carrier must not depend on it.
      if (answer === 'silence') return new Promise((resolve, reject) => silent.push({ resolve, reject }));
      return answer instanceof Error ? Promise.reject(answer) : answered(answer);
    },
    close: options.close ?? (async () => undefined),
  };
  let drawn = 0;
  const carrier = createRetryingCarrier({
    nodes: options.nodes ?? [n1, n2, n3],
    caller,
    clock,
    random: () => 0,
    randomBytes: (count) => new Uint8Array(count).fill((drawn += 1)),
    ...(options.giveUpAfterMs === undefined ? {} : { giveUpAfterMs: options.giveUpAfterMs }),
  });
  const rejectFirst = (error: Error): void => silent[0]?.reject(error);
  const answerFirst = (answer: object): void => silent[0]?.resolve(answered(answer));
  return { clock, attempts, carrier, rejectFirst, answerFirst };
}

/** A caller has no type for "whatever this test answers". */
const answered = (answer: object): Promise<never> => Promise.resolve(answer as never);

const nodesOf = (attempts: readonly Attempt[]): string[] => attempts.map(({ node }) => node);
const keysOf = (attempts: readonly Attempt[]): unknown[] => attempts.map(({ request }) => request.idempotencyKey);
const bodyOf = ({ request }: Attempt): { receiveId?: string; repeated?: boolean } => Object(request.body);

describe('what may be repeated', () => {
  test('a schedule without a key gets one, and every attempt carries the same', async () => {
    const { carrier, attempts } = cluster((_, number) => (number < 3 ? refused(true) : scheduled));
    expect(await carrier.call('schedule', schedule, {})).toEqual(scheduled);
    expect(new Set(keysOf(attempts))).toEqual(new Set(['01'.repeat(16)]));
    expect(nodesOf(attempts)).toEqual([n1, n2, n3]);
    await carrier.call('schedule', schedule, {});
    expect(keysOf(attempts).at(-1)).toBe('02'.repeat(16));
  });

  test('the key that the user gave is kept', async () => {
    const { carrier, attempts } = cluster(() => scheduled);
    await carrier.call('schedule', { ...schedule, idempotencyKey: 'mine' }, {});
    expect(keysOf(attempts)).toEqual(['mine']);
  });

  test('a receive carries an id, and is marked as repeated after the first attempt', async () => {
    const { carrier, attempts } = cluster((_, number) => (number < 3 ? refused(true) : { messages: [] }));
    await carrier.call('receive', receive, {});
    expect(attempts.map(bodyOf).map(({ receiveId }) => receiveId)).toEqual(Array(3).fill('01'.repeat(16)));
    expect(attempts.map(bodyOf).map(({ repeated }) => repeated)).toEqual([undefined, true, true]);
  });

  test('a group that is gone when its deletion is repeated was deleted by the first attempt', async () => {
    const gone = new HoldfastError('HF_GROUP_NOT_FOUND');
    const { carrier } = cluster((_, number) => (number === 1 ? refused(true) : gone));
    expect(await carrier.call('deleteGroup', dropped, {})).toEqual({ kind: 'deleting' });
    const { carrier: other } = cluster((_, number) => (number === 1 ? refused(false) : gone));
    await expect(other.call('deleteGroup', dropped, {})).rejects.toThrow(gone);
  });

  test.each(
    Object.entries(errorTable)
      .filter(([code, { status }]) => status < 500 && status !== 429 && code !== 'HF_GROUP_NOT_FOUND')
      .map(([code]) => code as ErrorCode),
  )('%s says what the user did wrong, and is thrown at once', async (code) => {
    const error = new HoldfastError(code);
    const { carrier, attempts } = cluster(() => error);
    await expect(carrier.call('schedule', schedule, {})).rejects.toBe(error);
    expect(attempts).toHaveLength(1);
    expect(carrier.counters().refusals).toEqual(new Map([[code, 1]]));
  });
});

describe('a repeat that is refused says nothing of an earlier attempt without an answer', () => {
  const ofGroup = dropped;
  const receipts = { ...ofGroup, body: { receipts: ['r0000001'] } };
  const extended = { ...ofGroup, body: { receipts: ['r0000001'], lease: '1s' } };
  const cancelled: RequestOf<'cancel'> = { ...dropped, params: { topic: 't', id: 'm0000001' } };
  const writes: readonly [Verb, (carrier: RetryingCarrier) => Promise<unknown>][] = [
    ['schedule', (carrier) => carrier.call('schedule', schedule, {})],
    ['cancel', (carrier) => carrier.call('cancel', cancelled, {})],
    ['receive', (carrier) => carrier.call('receive', receive, {})],
    ['ack', (carrier) => carrier.call('ack', receipts, {})],
    ['nack', (carrier) => carrier.call('nack', receipts, {})],
    ['extend', (carrier) => carrier.call('extend', extended, {})],
    ['putGroup', (carrier) => carrier.call('putGroup', { ...ofGroup, body: {} }, {})],
    ['deleteGroup', (carrier) => carrier.call('deleteGroup', ofGroup, {})],
  ];
  const isFinal = (code: ErrorCode): boolean => reactions[code] === 'throw' || reactions[code] === 'tell';
  const codes = (Object.keys(errorTable) as ErrorCode[]).filter(
    (code) => isFinal(code) && code !== 'HF_IDEMPOTENCY_KEY_REUSED',
  );
  const rows = writes
    .flatMap(([verb, call]) => codes.map((code) => [verb, code, call] as const))
    .filter(([verb, code]) => repeatRules[verb].settledBy?.code !== code);

  test.each(rows)('%s, then %s: unknown where something was sent, and only there', async (_, code, call) => {
    const error = new HoldfastError(code);
    const answers = (first: Error) => cluster((_, number) => (number === 1 ? first : error));
    const unknown = { code: 'HF_OUTCOME_UNKNOWN', applied: 'unknown', cause: error };
    await expect(call(answers(refused(true)).carrier)).rejects.toMatchObject(unknown);
    await expect(call(answers(refused(true)).carrier)).rejects.toThrow(code);
    const { carrier, clock } = answers(new OutcomeUnknownError());
    const after = call(carrier);
    void after.catch(() => undefined);
    await clock.advance(100);
    await expect(after).rejects.toMatchObject(unknown);
    await expect(call(answers(refused(false)).carrier)).rejects.toBe(error);
  });

  test.each(codes)('a read is told %s as it is', async (code) => {
    const error = new HoldfastError(code);
    const { carrier } = cluster((_, number) => (number === 1 ? refused(true) : error));
    await expect(carrier.call('topic', counts, {})).rejects.toBe(error);
  });

  test.each(['schedule', 'cancel'] as const)(
    '%s: a key that another request has was so for the first attempt, too',
    async (verb) => {
      const error = new HoldfastError('HF_IDEMPOTENCY_KEY_REUSED');
      const { carrier } = cluster((_, number) => (number === 1 ? refused(true) : error));
      await expect(writes.find(([name]) => name === verb)?.[1](carrier)).rejects.toBe(error);
    },
  );
});

describe('where a request goes', () => {
  test('the node that answered last is asked first', async () => {
    const { carrier, attempts } = cluster(({ node }) => (node === n2 ? scheduled : refused(false)));
    await carrier.call('schedule', schedule, {});
    await carrier.call('schedule', schedule, {});
    expect(nodesOf(attempts)).toEqual([n1, n2, n2]);
  });

  test('a refusal that names the leader is followed at once, to addresses that the user gave only', async () => {
    const known = new HoldfastError('HF_NO_LEADER', { leaderApi: 'http://n3/' });
    const { carrier, attempts, clock } = cluster(({ node }) => (node === n3 ? scheduled : known));
    await carrier.call('schedule', schedule, {});
    expect(nodesOf(attempts)).toEqual([n1, n3]);
    expect(clock.monotonicMs()).toBe(0);

    const stranger = new HoldfastError('HF_NO_LEADER', { leaderApi: 'http://elsewhere' });
    const other = cluster(({ node }) => (node === n3 ? scheduled : stranger));
    const call = other.carrier.call('schedule', schedule, {});
    await other.clock.advance(100);
    await call;
    expect(nodesOf(other.attempts)).toEqual([n1, n2, n3]);
  });

  test('two nodes that each take the other for the leader are not asked in a busy loop', async () => {
    const { carrier, attempts, clock } = cluster(
      ({ node }) => new HoldfastError('HF_NO_LEADER', { leaderApi: node === n1 ? n2 : n1 }),
      { nodes: [n1, n2], giveUpAfterMs: 1_000 },
    );
    const call = carrier.call('schedule', schedule, {});
    void call.catch(() => undefined);
    await clock.advance(2_000);
    await expect(call).rejects.toMatchObject({ code: 'HF_NO_LEADER' });
    expect(attempts.length).toBeLessThan(40);
  });

  test('a dead node costs no pause; when all are dead there is one, short at first, with a cap', async () => {
    const { carrier, attempts, clock } = cluster(() => refused(false), { giveUpAfterMs: 5_000 });
    const call = carrier.call('schedule', schedule, {});
    void call.catch(() => undefined);
    await clock.advance(6_000);
    await expect(call).rejects.toMatchObject({ code: 'HF_UNREACHABLE', applied: 'no' });
    const gaps = attempts.slice(1).map(({ atMs }, at) => atMs - (attempts[at]?.atMs ?? 0));
    expect(gaps.slice(0, 3)).toEqual([0, 0, 10]);
    expect(Math.max(...gaps)).toBe(125);
    expect(carrier.counters()).toMatchObject({ gaveUp: 1, unreachable: attempts.length, inside: 0 });
  });

  test('an election is waited for in short pauses', async () => {
    const { carrier, clock } = cluster(({ atMs }) => (atMs < 200 ? new HoldfastError('HF_NO_LEADER') : scheduled));
    let doneAtMs = Number.NaN;
    const call = carrier.call('schedule', schedule, {}).then(() => (doneAtMs = clock.monotonicMs()));
    await clock.advance(1_000);
    await call;
    expect(doneAtMs).toBeGreaterThanOrEqual(200);
    expect(doneAtMs).toBeLessThan(300);
  });

  test('overload waits as long as it says, and does not move on to a follower', async () => {
    const overloaded = new HoldfastError('HF_OVERLOADED', { retryAfterMs: 700 });
    const { carrier, attempts, clock } = cluster((_, number) => (number === 1 ? overloaded : scheduled));
    const call = carrier.call('schedule', schedule, {});
    await clock.advance(700);
    await call;
    expect(attempts.map(({ node, atMs }) => [node, atMs])).toEqual([
      [n1, 0],
      [n1, 700],
    ]);
  });

  test('a fault of a node is tried a few times, and thrown then', async () => {
    const { carrier, attempts, clock } = cluster(() => new HoldfastError('HF_INTERNAL'));
    const call = carrier.call('schedule', schedule, {});
    void call.catch(() => undefined);
    await clock.advance(1_000);
    await expect(call).rejects.toMatchObject({ code: 'HF_INTERNAL', applied: 'unknown' });
    expect(nodesOf(attempts)).toEqual([n1, n2, n3, n1]);
  });
});

describe('how long', () => {
  test('a node that says nothing for two seconds is left for another one, which gets twice the time', async () => {
    const { carrier, attempts, clock } = cluster((_, number) => (number < 3 ? 'silence' : scheduled));
    const toldAtMs: number[] = [];
    const call = carrier.call('schedule', schedule, { onAttempt: () => toldAtMs.push(clock.monotonicMs()) });
    await clock.advance(10_000);
    await call;
    expect(attempts.map(({ node, atMs }) => [node, atMs])).toEqual([
      [n1, 0],
      [n2, 2_000],
      [n3, 6_000],
    ]);
    expect(toldAtMs).toEqual([0, 2_000, 6_000]);
    expect(attempts.map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
    expect(carrier.counters()).toMatchObject({ timedOut: 2, repeats: 2 });
    expect(clock.timers).toBe(0);
  });

  test('a receive has its wait and a margin', async () => {
    const { carrier, attempts, clock } = cluster((_, number) => (number === 1 ? 'silence' : { messages: [] }));
    const call = carrier.call('receive', receive, {});
    await clock.advance(2_000);
    await call;
    expect(attempts.map(({ atMs }) => atMs)).toEqual([0, 1_500]);
  });

  test('no longer than nodes keep the answer to a key, since a repeat after it would be a second write', () => {
    const give = (giveUpAfterMs: number) => cluster(() => scheduled, { giveUpAfterMs });
    expect(() => give(defaults.idempotencyKeepMs - 60_000)).not.toThrow();
    expect(() => give(defaults.idempotencyKeepMs - 59_999)).toThrow(RangeError);
    expect(() => give(Number.NaN)).toThrow('giveUpAfter');
  });

  test('no time at all is refused: nothing would ever be sent', async () => {
    const give = (giveUpAfterMs: number) => cluster(() => scheduled, { giveUpAfterMs });
    expect(() => give(0)).toThrow('nothing would be sent');
    expect(await give(1).carrier.call('schedule', schedule, {})).toEqual(scheduled);
  });

  test('giving up is `unknown` for a write that may have been applied, and only for such', async () => {
    const lost = cluster((_, number) => (number === 1 ? refused(true) : refused(false)), { giveUpAfterMs: 1_000 });
    const call = lost.carrier.call('schedule', schedule, {});
    void call.catch(() => undefined);
    await lost.clock.advance(2_000);
    await expect(call).rejects.toBeInstanceOf(OutcomeUnknownError);

    const read = cluster(() => refused(true), { giveUpAfterMs: 1_000 });
    const reading = read.carrier.call('topic', counts, {});
    void reading.catch(() => undefined);
    await read.clock.advance(2_000);
    await expect(reading).rejects.toMatchObject({ code: 'HF_UNREACHABLE' });
  });

  test('a disk that is low is told at once, and as `unknown` where an earlier attempt may have been applied', async () => {
    const low = cluster(() => new HoldfastError('HF_DISK_LOW'));
    await expect(low.carrier.call('schedule', schedule, {})).rejects.toMatchObject({
      code: 'HF_DISK_LOW',
      applied: 'no',
    });
    expect(low.attempts).toHaveLength(1);
    const lost = cluster((_, number) => (number === 1 ? refused(true) : new HoldfastError('HF_DISK_LOW')));
    await expect(lost.carrier.call('schedule', schedule, {})).rejects.toMatchObject({
      code: 'HF_OUTCOME_UNKNOWN',
      cause: { code: 'HF_DISK_LOW' },
    });
  });

  test('giving up after a node said `unknown` is `unknown`', async () => {
    const { carrier, clock } = cluster(
      (_, number) => (number === 1 ? new OutcomeUnknownError() : new HoldfastError('HF_NO_LEADER')),
      { giveUpAfterMs: 1_000 },
    );
    const call = carrier.call('schedule', schedule, {});
    void call.catch(() => undefined);
    await clock.advance(2_000);
    await expect(call).rejects.toBeInstanceOf(OutcomeUnknownError);
  });

  test('a node that says `unknown` is asked again with the same key, and its answer is taken', async () => {
    const { carrier, attempts, clock } = cluster((_, number) => (number === 1 ? new OutcomeUnknownError() : scheduled));
    const call = carrier.call('schedule', schedule, {});
    await clock.advance(20);
    expect(await call).toEqual(scheduled);
    expect(new Set(keysOf(attempts)).size).toBe(1);
  });

  test('what is not the cluster’s fault is thrown as it is', async () => {
    const bug = new TypeError('can not be encoded');
    const { carrier, attempts } = cluster(() => bug);
    await expect(carrier.call('schedule', schedule, {})).rejects.toBe(bug);
    expect(attempts).toHaveLength(1);
  });
});

test('a fault of this process after an attempt that may have been applied leaves a write unknown, and only a write', async () => {
  const fault = new Error('the disk failed');
  const reply = (_: Attempt, number: number): Reply => (number === 1 ? new HoldfastError('HF_OUTCOME_UNKNOWN') : fault);
  const writing = cluster(reply);
  const write = writing.carrier.call('schedule', schedule, {});
  void write.catch(() => undefined);
  await writing.clock.advance(100);
  await expect(write).rejects.toSatisfy((error) => error instanceof OutcomeUnknownError && error.cause === fault);
  const reading = cluster(reply);
  const read = reading.carrier.call('topic', counts, {});
  void read.catch(() => undefined);
  await reading.clock.advance(100);
  await expect(read).rejects.toBe(fault);
});

describe('the end', () => {
  test.each(['attempt', 'pause'])('a signal ends a call at once during an %s', async (during) => {
    const { carrier, clock } = cluster(() => (during === 'pause' ? new HoldfastError('HF_NO_LEADER') : 'silence'));
    const controller = new AbortController();
    const call = carrier.call('schedule', schedule, { signal: controller.signal });
    await settle();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(clock.timers).toBe(0);
    await expect(carrier.call('schedule', schedule, { signal: controller.signal })).rejects.toBe(reason);
  });

  test('a signal that fires between an attempt and the pause after it is not missed', async () => {
    for (let turns = 0; turns < 8; turns += 1) {
      const controller = new AbortController();
      const { carrier } = cluster(() => {
        let later = Promise.resolve();
        for (let turn = 0; turn < turns; turn += 1) later = later.then(() => undefined);
        void later.then(() => controller.abort(new Error('enough')));
        return new HoldfastError('HF_NO_LEADER');
      });
      await expect(carrier.call('schedule', schedule, { signal: controller.signal })).rejects.toThrow('enough');
    }
  });

  test('a call goes where the last answer came from, also when it came late', async () => {
    const { carrier, attempts, answerFirst } = cluster(({ node }, number) =>
      number === 1 ? 'silence' : node === n2 ? scheduled : refused(false),
    );
    const first = carrier.call('schedule', schedule, {});
    await carrier.call('schedule', schedule, {});
    expect(nodesOf(attempts)).toEqual([n1, n1, n2]);
    answerFirst(scheduled);
    await first;
    await carrier.call('schedule', schedule, {});
    expect(nodesOf(attempts).slice(3)).toEqual([n1, n2]);
  });

  test('a late answer to an attempt that was given up does not disturb the next one', async () => {
    const { carrier, clock, rejectFirst } = cluster(() => 'silence');
    const controller = new AbortController();
    const call = carrier.call('schedule', schedule, { signal: controller.signal });
    await clock.advance(2_000);
    rejectFirst(refused(true));
    await settle();
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });

  test('many calls share a signal with one listener, and none stays behind', async () => {
    const { carrier } = cluster(() => scheduled);
    const controller = new AbortController();
    const added = vi.spyOn(controller.signal, 'addEventListener');
    const removed = vi.spyOn(controller.signal, 'removeEventListener');
    await Promise.all(
      Array.from({ length: 20 }, () => carrier.call('schedule', schedule, { signal: controller.signal })),
    );
    expect(added).toHaveBeenCalledTimes(1);
    expect(removed).toHaveBeenCalledTimes(1);
  });

  test('closing ends every call, and says when the outcome is not known', async () => {
    const { carrier } = cluster(() => 'silence');
    const write = carrier.call('schedule', schedule, {});
    const read = carrier.call('topic', counts, {});
    await settle();
    await carrier.close();
    await expect(write).rejects.toBeInstanceOf(OutcomeUnknownError);
    await expect(read).rejects.toMatchObject({ code: 'HF_STOPPING' });
    await expect(carrier.call('topic', counts, {})).rejects.toMatchObject({ code: 'HF_STOPPING' });
    expect(carrier.counters().inside).toBe(0);
  });

  test('whoever closes it again waits for the same end', async () => {
    let closed: (() => void) | undefined;
    const { carrier } = cluster(() => 'silence', {
      close: () => new Promise((resolve) => (closed = resolve)),
    });
    const ends: string[] = [];
    const first = carrier.close().then(() => ends.push('first'));
    const second = carrier.close().then(() => ends.push('second'));
    await settle();
    expect([carrier.isClosed, ends]).toEqual([true, []]);
    closed?.();
    await Promise.all([first, second]);
  });
});
