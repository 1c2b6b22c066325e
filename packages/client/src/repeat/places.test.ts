// How many calls of one carrier are under way at once, and which of them may not wait for which.
import { HoldfastError, type RequestOf, type Verb } from '@holdfast/api';
import { expect, test } from 'vitest';
import { ManualClock, settle } from '../../test/manual-clock.ts';
import { createRetryingCarrier } from '../retrying-carrier.ts';

const nowhere = { params: { topic: 't', group: 'g' }, query: {}, idempotencyKey: undefined };
const schedule: RequestOf<'schedule'> = { ...nowhere, params: { topic: 't' }, body: { body: 1, delay: 0 } };
const receive: RequestOf<'receive'> = { ...nowhere, body: { wait: '1s' } };
const ack: RequestOf<'ack'> = { ...nowhere, body: { receipts: ['r0000001'] } };
const extend: RequestOf<'extend'> = { ...nowhere, body: { receipts: ['r0000001'], lease: '1m' } };

/** @param says what a node answers; it is silent where it says nothing */
function carrierTo(says: (verb: Verb) => Promise<never> | undefined) {
  const attempts: Verb[] = [];
  const carrier = createRetryingCarrier({
    nodes: ['http://n1'],
    caller: {
      call(_, verb) {
        attempts.push(verb);
        return says(verb) ?? new Promise(() => undefined);
      },
      close: async () => undefined,
    },
    clock: new ManualClock(),
    random: () => 0,
    randomBytes: (count) => new Uint8Array(count),
  });
  return { carrier, attempts };
}

const ended = (): void => undefined;

test('the receives of hundreds of workers are under way at once: none waits until another one has', async () => {
  const { carrier, attempts } = carrierTo(() => undefined);
  for (let call = 0; call < 600; call += 1) carrier.call('receive', receive, {}).catch(ended);
  expect(attempts).toHaveLength(600);
  expect(carrier.counters()).toMatchObject({ inside: 600, waiting: 0 });
  await carrier.close();
});

test('calls beyond the places wait, in order, and leave the line when they end', async () => {
  const { carrier, attempts } = carrierTo(() => undefined);
  const controller = new AbortController();
  for (let call = 0; call < 130; call += 1)
    carrier.call('schedule', schedule, { signal: controller.signal }).catch(ended);
  await settle();
  expect(attempts).toHaveLength(128);
  expect(carrier.counters()).toMatchObject({ inside: 128, waiting: 2 });
  controller.abort();
  await settle();
  expect(carrier.counters()).toMatchObject({ inside: 0, waiting: 0 });
  expect(attempts).toHaveLength(128);
});

test('receives that wait, and calls that are told to wait, do not keep acks, nacks and extensions from leaving', async () => {
  const { carrier, attempts } = carrierTo((verb) =>
    verb === 'schedule' ? Promise.reject(new HoldfastError('HF_OVERLOADED', { retryAfterMs: 10_000 })) : undefined,
  );
  for (let call = 0; call < 1_100; call += 1) carrier.call('receive', receive, {}).catch(ended);
  for (let call = 0; call < 200; call += 1) carrier.call('schedule', schedule, {}).catch(ended);
  await settle();
  carrier.call('ack', ack, {}).catch(ended);
  carrier.call('nack', ack, {}).catch(ended);
  carrier.call('extend', extend, {}).catch(ended);
  await settle();
  expect(attempts.slice(-3)).toEqual(['ack', 'nack', 'extend']);
  await carrier.close();
});
