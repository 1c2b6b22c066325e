import { HoldfastError, type RequestOf } from '@holdfast/api';
import { expect, test, vi } from 'vitest';
import type { Desk } from './desk.ts';
import type { Place, Placement } from './placement.ts';
import { createQuota } from './quota.ts';
import { createService, type ServicePorts } from './service.ts';

const n1 = { id: 'n1', peer: '', api: 'http://n1' };
const n2 = { id: 'n2', peer: '', api: 'http://n2' };
const request: RequestOf<'schedule'> = {
  params: { topic: 'reminders' },
  query: {},
  body: { bodyBytes: new Uint8Array(100), delay: 0 },
  idempotencyKey: undefined,
};
const options = { signal: new AbortController().signal, forwarded: false };

/** A service in front of a place that is found when the test says so. */
function serviceInTest(forward: ServicePorts['forward'] = () => Promise.reject(new Error('not asked'))) {
  let settle: (place: Place | undefined) => void = () => undefined;
  const placement: Pick<Placement, 'find' | 'watch'> = {
    find: () => new Promise((resolve) => (settle = resolve)),
    watch: () => () => undefined,
  };
  const faults: unknown[] = [];
  const ticks: (() => ReturnType<Desk['replica']['propose']>)[] = [];
  const view = vi.fn(() => {
    throw new Error('the state is read');
  });
  const propose = () => ticks.shift()?.() ?? Promise.reject(new Error('not asked'));
  const desk: Pick<Desk, 'self' | 'peers' | 'status' | 'replica'> = {
    replica: { propose, store: { view } } as unknown as Desk['replica'],
    self: n1,
    peers: () => [n1, n2],
    status: () => ({ raft: { leader: undefined } }) as unknown as ReturnType<Desk['status']>,
  };
  const quota = createQuota({ requestsInProgress: 1, bytesInProgress: 150 });
  const service = createService({
    desk: desk as Desk,
    placement: placement as Placement,
    reads: { placement, byAny: () => false, readIndex: () => Promise.resolve(false) },
    quota,
    forward,
    retryAfterMs: 300,
    isStopping: () => false,
    onFault: (_verb, error) => faults.push(error),
  });
  return { service, quota, faults, ticks, view, found: (place: Place | undefined) => settle(place) };
}

test('what a request weighs is given back when it ends, also when it fails', async () => {
  const { service, quota, found } = serviceInTest();
  for (let round = 0; round < 3; round += 1) {
    const call = service.call('schedule', request, options);
    expect([quota.requests, quota.bytes]).toEqual([1, 100]);
    found(undefined);
    await expect(call).rejects.toMatchObject({ code: 'HF_NO_LEADER', facts: { retryAfterMs: 300 } });
    expect([quota.requests, quota.bytes]).toEqual([0, 0]);
  }
});

test('headers weigh, too: a message can be all headers', async () => {
  const { service, quota, found } = serviceInTest();
  const body = { messages: [{ delay: 0, bodyBytes: new Uint8Array(100), headers: { trace: 'x'.repeat(40) } }] };
  const first = service.call('schedule', { ...request, body }, options);
  expect(quota.bytes).toBe(145);
  found(undefined);
  await expect(first).rejects.toMatchObject({ code: 'HF_NO_LEADER' });
  const heavy = { messages: body.messages.map((message) => ({ ...message, headers: { trace: 'x'.repeat(46) } })) };
  await expect(service.call('schedule', { ...request, body: heavy }, options)).rejects.toMatchObject({
    code: 'HF_OVERLOADED',
  });
  expect([...quota.refusals]).toEqual([['bytesInProgress', 1]]);
});

test('a request beyond the bound is refused while the others are in progress', async () => {
  const { service, quota, found } = serviceInTest();
  const first = service.call('schedule', request, options);
  await expect(service.call('schedule', request, options)).rejects.toMatchObject({ code: 'HF_OVERLOADED' });
  expect(quota.refusals.get('requestsInProgress')).toBe(1);
  found(undefined);
  await expect(first).rejects.toMatchObject({ code: 'HF_NO_LEADER' });
});

test('the answer of the leader is passed on, and so is its refusal', async () => {
  const answer = { messages: [], repeated: false };
  const answers = [() => Promise.resolve(answer), () => Promise.reject(new HoldfastError('HF_TOPIC_LIMIT'))];
  const { service, found } = serviceInTest((async () => (answers.shift() ?? (() => undefined))()) as never);
  const first = service.call('schedule', request, options);
  found({ kind: 'there', peer: n2 });
  expect(await first).toBe(answer);
  const second = service.call('schedule', request, options);
  found({ kind: 'there', peer: n2 });
  await expect(second).rejects.toMatchObject({ code: 'HF_TOPIC_LIMIT' });
});

test('without ReadIndex a leader reads its state after an entry of its own was applied, and not otherwise', async () => {
  const { service, ticks, view, faults, found } = serviceInTest();
  const read = async (tick: object): Promise<unknown> => {
    ticks.push(() => Promise.resolve(tick as never));
    const call = service.call('topics', { params: {}, query: {}, body: undefined, idempotencyKey: undefined }, options);
    await Promise.resolve();
    found({ kind: 'here' });
    return await call.catch((error: unknown) => error);
  };
  const lost = [{ kind: 'notApplied', reason: 'notLeader' }, { kind: 'unknown' }];
  for (const tick of lost) expect(await read(tick)).toMatchObject({ code: 'HF_NO_LEADER' });
  expect(view).not.toHaveBeenCalled();
  await read({ kind: 'applied', verdict: { kind: 'ticked' } });
  expect(view).toHaveBeenCalledTimes(1);
  expect(faults).toEqual([new Error('the state is read')]);
});

test('an error that is no answer becomes HF_INTERNAL, whose outcome is unknown, and is reported with its cause', async () => {
  const broken = new TypeError('x is not a function');
  const { service, found, faults } = serviceInTest(() => Promise.reject(broken));
  const call = service.call('schedule', request, options);
  found({ kind: 'there', peer: n2 });
  await expect(call).rejects.toMatchObject({ code: 'HF_INTERNAL', applied: 'unknown', cause: broken });
  expect(faults).toEqual([broken]);
});
