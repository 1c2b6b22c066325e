import type { AnswerOf, RequestOf } from '@holdfast/api';
import { expect, test } from 'vitest';
import { ManualClock, settle } from '../../test/manual-clock.ts';
import { type NodeCaller, NodeUnreachable } from '../carrier.ts';
import { createRetryingCarrier } from '../retrying-carrier.ts';
import { NodeChoice } from './node-choice.ts';

const [n1, n2, n3] = ['http://n1', 'http://n2', 'http://n3'] as const;
const received: AnswerOf<'receive'> = { messages: [] };
const receive: RequestOf<'receive'> = {
  params: { topic: 't', group: 'g' },
  query: {},
  body: { wait: '1s', receiveId: '00'.repeat(16) },
  idempotencyKey: undefined,
};

const namesLeader = (leader: string | undefined, term = 1): AnswerOf<'cluster'> => ({
  id: 'n',
  incarnation: 'of n',
  role: 'follower',
  serving: false,
  term,
  ...(leader === undefined ? {} : { leader }),
  commit: 1,
  applied: 1,
  stateHash: '',
  clockMs: 1,
  members: ['n1', 'n2', 'n3', 'n4'].map((id) => ({ id, api: `http://${id}` })),
});

/** `receives` at the first node are never answered; `leaderAt` is what the others say of the leader. */
function frozen(
  leaderAt: (node: string, nowMs: number) => string | undefined,
  termAt = (_nowMs: number, _node: string) => 1,
) {
  const clock = new ManualClock();
  const asked: { node: string; atMs: number }[] = [];
  const attempts: { node: string; atMs: number; isRepeated: boolean; signal: AbortSignal }[] = [];
  const caller: NodeCaller = {
    call(node, verb, request, signal) {
      const atMs = clock.monotonicMs();
      if (verb === 'cluster') {
        asked.push({ node, atMs });
        const leader = leaderAt(node, atMs);
        return leader === 'silence'
          ? silence(signal)
          : Promise.resolve(namesLeader(leader, termAt(atMs, node)) as never);
      }
      const { repeated } = Object(request.body);
      attempts.push({ node, atMs, isRepeated: repeated === true, signal });
      return node === n1 ? silence(signal) : Promise.resolve(received as never);
    },
    close: async () => undefined,
  };
  return { clock, asked, attempts, carrier: carrierOf(caller, clock) };
}

const carrierOf = (caller: NodeCaller, clock: ManualClock) =>
  createRetryingCarrier({
    nodes: [n1, n2, n3],
    caller,
    clock,
    random: () => 0,
    randomBytes: (count) => new Uint8Array(count),
  });

const silence = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new NodeUnreachable('it', true))));

test('calls at a node that is silent leave it once another is known to lead, all of them, and ask that one', async () => {
  const { clock, attempts, carrier } = frozen((_, nowMs) => (nowMs < 400 ? 'n1' : 'n3'));
  const calls = [carrier.call('receive', receive, {}), carrier.call('receive', receive, {})];
  await clock.advance(600);
  expect(await Promise.all(calls)).toEqual([received, received]);
  expect(attempts.map(({ node }) => node)).toEqual([n1, n1, n3, n3]);
  expect(attempts.map(({ isRepeated }) => isRepeated)).toEqual([false, false, true, true]);
  expect(attempts.map(({ signal }) => signal.aborted)).toEqual([true, true, false, false]);
  expect(carrier.counters()).toMatchObject({ overtaken: 2, timedOut: 0 });
});

test('a node that leads may be silent for as long as its calls wait', async () => {
  const { clock, attempts, carrier } = frozen(() => 'n1');
  const call = carrier.call('receive', receive, {});
  await clock.advance(1_499);
  expect(attempts).toHaveLength(1);
  await clock.advance(100);
  await call;
  expect(carrier.counters()).toMatchObject({ overtaken: 0, timedOut: 1 });
});

test('calls at a node that leads anew are repeated there, since it knows nothing of them, and no later ones', async () => {
  const { clock, attempts, carrier } = frozen(
    () => 'n1',
    (nowMs) => (nowMs < 700 ? 1 : 2),
  );
  const calls = [carrier.call('receive', receive, {}), carrier.call('receive', receive, {})];
  const ended = Promise.allSettled(calls);
  await clock.advance(699);
  expect(attempts).toHaveLength(2);
  await clock.advance(1_300);
  expect(attempts.map(({ node }) => node)).toEqual([n1, n1, n1, n1]);
  expect(attempts.map(({ isRepeated }) => isRepeated)).toEqual([false, false, true, true]);
  expect(attempts.map(({ signal }) => signal.aborted)).toEqual([true, true, false, false]);
  expect(carrier.counters()).toMatchObject({ overtaken: 2, timedOut: 0 });
  await carrier.close();
  await ended;
});

test('the leader of an earlier term is not followed, unless the later one has failed', async () => {
  // n2 knows of the leader that it has; n3 has slept, and knows the one before.
  const { clock, asked, attempts, carrier } = frozen(
    (node) => (node === n2 ? 'n1' : 'n3'),
    (_nowMs, node) => (node === n2 ? 7 : 6),
  );
  const call = carrier.call('receive', receive, {});
  await clock.advance(1_499);
  expect(new Set(asked.map(({ node }) => node))).toEqual(new Set([n2, n3]));
  expect(attempts.map(({ node }) => node)).toEqual([n1]);
  await clock.advance(1);
  await call;
  expect(carrier.counters()).toMatchObject({ overtaken: 0, timedOut: 1 });

  const choice = new NodeChoice([n1, n2], 0);
  expect([choice.follow(n2, 7), choice.follow(n1, 6), choice.preferred(), choice.term]).toEqual([true, false, n2, 7]);
  choice.after(n2);
  expect([choice.follow(n1, 6), choice.preferred(), choice.term]).toEqual([true, n1, 6]);
});

test('the others are asked in turn, not at once, and soon again while nobody leads', async () => {
  const { clock, asked, carrier } = frozen((_, nowMs) => (nowMs < 450 ? 'n1' : undefined));
  const call = carrier.call('receive', receive, {});
  await clock.advance(249);
  expect(asked).toEqual([]);
  await clock.advance(301);
  expect(asked).toEqual([
    { node: n2, atMs: 250 },
    { node: n3, atMs: 450 },
    { node: n2, atMs: 500 },
    { node: n3, atMs: 550 },
  ]);
  await clock.advance(2_000);
  await call;
});

test('one that does not say who leads is not waited for', async () => {
  const { clock, asked, attempts, carrier } = frozen((node) => (node === n2 ? 'silence' : 'n3'));
  const call = carrier.call('receive', receive, {});
  await clock.advance(900);
  await call;
  expect(asked.map(({ node }) => node)).toContain(n2);
  expect(attempts.map(({ node }) => node)).toEqual([n1, n3]);
});

test('a leader at an address that the user did not give is not followed', async () => {
  const { clock, attempts, carrier } = frozen(() => 'n4');
  const call = carrier.call('receive', receive, {});
  await clock.advance(1_400);
  expect(attempts.map(({ node }) => node)).toEqual([n1]);
  await clock.advance(200);
  await call;
});

/** A consumer that is idle, at a leader that answers each receive when its wait is over, until it freezes. */
function idle(frozenAtMs: number, electedAtMs: number) {
  const clock = new ManualClock();
  const askedAtMs: number[] = [];
  const sentTo: { node: string; atMs: number }[] = [];
  const caller: NodeCaller = {
    call(node, verb, _request, signal) {
      const atMs = clock.monotonicMs();
      if (verb === 'cluster') {
        if (node !== n1) askedAtMs.push(atMs);
        return Promise.resolve(namesLeader(atMs < electedAtMs ? 'n1' : 'n3') as never);
      }
      sentTo.push({ node, atMs });
      if (verb !== 'receive') return silence(signal);
      return new Promise((resolve, reject) => {
        const isAnswered = () => node !== n1 || clock.monotonicMs() < frozenAtMs;
        clock.after(1_000, () => void (isAnswered() && resolve(received as never)));
        signal.addEventListener('abort', () => reject(new NodeUnreachable(node, true)));
      });
    },
    close: async () => undefined,
  };
  const carrier = carrierOf(caller, clock);
  const consume = async (): Promise<void> => {
    for (;;) await carrier.call('receive', receive, {});
  };
  const consuming = consume().catch(() => undefined);
  const end = async (): Promise<void> => {
    await carrier.close();
    await consuming;
  };
  return { clock, askedAtMs, sentTo, carrier, end };
}

test('the others are hardly asked while consumers are idle and the leader answers them', async () => {
  const { clock, askedAtMs, end } = idle(Infinity, Infinity);
  await clock.advance(60_000);
  expect(askedAtMs.slice(0, 2)).toEqual([250, 450]);
  expect(askedAtMs.length).toBeLessThan(40);
  await end();
});

test.each([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 999])(
  'a leader that freezes %s ms into a quiet wait is left once another is elected, before the time of the call runs out',
  async (phaseMs) => {
    const frozenAtMs = 30_000 + phaseMs;
    const electedAtMs = frozenAtMs + 450;
    const { clock, sentTo, carrier, end } = idle(frozenAtMs, electedAtMs);
    await clock.advance(33_000);
    const leftAtMs = sentTo.find(({ node }) => node === n3)?.atMs ?? Infinity;
    // Silent for longer than a receive waits, or elected: the later of both, and until the next look.
    const heardAtMs = phaseMs === 0 ? 29_000 : 30_000;
    expect(leftAtMs).toBeLessThanOrEqual(Math.max(electedAtMs, heardAtMs + 1_050) + 200);
    expect(carrier.counters().timedOut).toBe(0);
    await end();
  },
);

test('a write at a frozen leader does not wait for idle consumers to notice', async () => {
  const { clock, sentTo, carrier, end } = idle(30_100, 30_100);
  await clock.advance(30_110);
  const call = carrier.call('topics', { params: {}, query: {}, body: undefined, idempotencyKey: undefined }, {});
  call.catch(() => undefined);
  await clock.advance(400);
  expect(sentTo.filter(({ node }) => node === n3)).not.toEqual([]);
  await end();
});

test('nobody is asked while answers come, and nothing is left behind when calls end or the client is closed', async () => {
  const { clock, asked, carrier } = frozen(() => 'n1');
  const ending = new AbortController();
  const ended = carrier.call('receive', receive, { signal: ending.signal });
  await clock.advance(200);
  ending.abort(new Error('gone'));
  await expect(ended).rejects.toThrow('gone');
  expect(clock.timers).toBe(0);
  expect(asked).toEqual([]);
  const closed = carrier.call('receive', receive, {});
  await clock.advance(250);
  await carrier.close();
  await expect(closed).rejects.toThrow('closed');
  await settle();
  expect(clock.timers).toBe(0);
});
