// Walk 14/15: out to a consumer, and back: receive, ack, nack, extend. On to client/worker.ts, then store/apply/ack.ts.
import { type AnswerOf, type ErrorCode, HoldfastError, type ParsedRequestOf } from '@holdfast/api';
import type { Delivery, ReceiveAnswer } from '@holdfast/scheduler';
import type { GroupInfo, LeaseRef } from '@holdfast/store';
import { activeGroupOf, type Desk, readLeading } from './desk.ts';
import { decodeHeaders } from './headers.ts';
import { decodeReceipt, encodeId, encodeReceipt, type ReceiptRef } from './ids.ts';
import { proposed } from './outcome.ts';
import { groupConfig, groupStart } from './topics.ts';

type Received = AnswerOf<'receive'>['messages'][number];
type Result = AnswerOf<'ack'>['results'][number];
type GroupNumbers = Pick<GroupInfo, 'topic'> & { readonly group: number };

const receiveIdBytes = 16;
const tooManyRetryAfterMs = 1_000;

export async function receive(
  desk: Desk,
  request: ParsedRequestOf<'receive'>,
  signal: AbortSignal,
): Promise<AnswerOf<'receive'>> {
  const { max, lease, wait, receiveId, repeated } = request.body;
  const numbers = await groupToReceiveFrom(desk, request);
  const answer = await desk.leading().scheduler.receive(
    {
      ...numbers,
      receiveId: receiveId === undefined ? desk.randomBytes(receiveIdBytes) : Buffer.from(receiveId, 'hex'),
      repeated,
      max,
      leaseMs: lease,
      waitMs: wait,
    },
    signal,
  );
  return { messages: deliveriesOf(answer).map((delivery) => messageReceived(desk.replica.store.epoch, delivery)) };
}

/** @throws HF_TOPIC_NOT_FOUND, HF_GROUP_NOT_FOUND unless the request says `create` */
async function groupToReceiveFrom(desk: Desk, request: ParsedRequestOf<'receive'>): Promise<GroupNumbers> {
  const { create } = request.body;
  if (create === undefined) return groupNumbers(desk, request.params);
  try {
    return await groupNumbers(desk, request.params);
  } catch (error) {
    if (!(error instanceof HoldfastError && isNotThere(error.code))) throw error;
  }
  desk.requireRoom();
  const { start, ...settings } = create;
  const { topic, group } = await proposed<'createGroup'>(desk.replica, {
    kind: 'createGroup',
    ...request.params,
    start: groupStart(start),
    config: groupConfig(settings),
    replaceConfig: false,
  });
  return { topic, group };
}

const isNotThere = (code: ErrorCode): boolean => code === 'HF_TOPIC_NOT_FOUND' || code === 'HF_GROUP_NOT_FOUND';

function groupNumbers(desk: Desk, names: { readonly topic: string; readonly group: string }): Promise<GroupNumbers> {
  return readLeading(desk, (view) => {
    const { topic, number } = activeGroupOf(view, names);
    return { topic, group: number };
  });
}

/** @throws HF_NO_LEADER when leadership ended meanwhile: repeat it at another node, marked `repeated` */
function deliveriesOf(answer: ReceiveAnswer): readonly Delivery[] {
  switch (answer.kind) {
    case 'deliveries':
      return answer.deliveries;
    case 'tryAnotherNode':
      throw new HoldfastError('HF_NO_LEADER', { detail: 'Repeat the receive with its receiveId and `repeated`.' });
    case 'refused':
      throw refused(answer.code);
    default:
      return answer satisfies never;
  }
}

function refused(code: Extract<ReceiveAnswer, { kind: 'refused' }>['code']): HoldfastError {
  switch (code) {
    case 'tooManyWaiting':
      return new HoldfastError('HF_TOO_MANY_WAITING', { retryAfterMs: tooManyRetryAfterMs });
    case 'tooManyLeases':
      return new HoldfastError('HF_TOO_MANY_LEASES', { retryAfterMs: tooManyRetryAfterMs });
    case 'groupNotFound':
      return new HoldfastError('HF_GROUP_NOT_FOUND');
    default:
      return code satisfies never;
  }
}

function messageReceived(epoch: number, delivery: Delivery): Received {
  const { topic, group, position, token, attempt, untilMs, headers, body } = delivery;
  return {
    id: encodeId({ epoch, topic, position }),
    receipt: encodeReceipt({ epoch, topic, group, position, token }),
    attempt,
    token,
    deliverAtMs: position.fireAtMs,
    leasedUntilMs: untilMs,
    headers: decodeHeaders(headers),
    bodyBytes: body,
  };
}

export async function ack(desk: Desk, request: ParsedRequestOf<'ack'>): Promise<AnswerOf<'ack'>> {
  const { numbers, receipts, leases } = await leasesOf(desk, request);
  if (leases.length === 0) return { results: merged(receipts, []) };
  const { answers } = await proposed<'ack'>(desk.replica, { kind: 'ack', ...numbers, leases });
  return { results: merged(receipts, answers) };
}

export async function nack(desk: Desk, request: ParsedRequestOf<'nack'>): Promise<AnswerOf<'nack'>> {
  const { delay, reason = '' } = request.body;
  const { numbers, receipts, leases } = await leasesOf(desk, request);
  if (leases.length === 0) return { results: merged(receipts, []) };
  const delaysMs = delay === undefined ? await backoffsMs(desk, numbers, leases) : leases.map(() => delay);
  const { answers } = await proposed<'nack'>(desk.replica, {
    kind: 'nack',
    ...numbers,
    leases: leases.map((lease, index) => ({ ...lease, delayMs: delaysMs[index] ?? 0, reason })),
  });
  return { results: merged(receipts, answers) };
}

export async function extend(desk: Desk, request: ParsedRequestOf<'extend'>): Promise<AnswerOf<'extend'>> {
  const { numbers, receipts, leases } = await leasesOf(desk, request);
  if (leases.length === 0) return { results: merged(receipts, []) };
  const { answers } = await proposed<'extend'>(desk.replica, {
    kind: 'extend',
    ...numbers,
    leases,
    leaseMs: request.body.lease,
  });
  const results = merged(
    receipts,
    answers.map(({ answer }) => answer),
  );
  const untilMs = new Map(
    receipts.flatMap(({ index, receipt }) => {
      const answered = index === undefined ? undefined : answers[index];
      return answered?.answer === 'ok' ? [[receipt, answered.untilMs] as const] : [];
    }),
  );
  return {
    results: results.map((result) => {
      const leasedUntilMs = untilMs.get(result.receipt);
      return leasedUntilMs === undefined ? result : { ...result, leasedUntilMs };
    }),
  };
}

/** A receipt as it was sent, and where in the command its lease stands; undefined when it is of another group. */
interface SentReceipt {
  readonly receipt: string;
  readonly index: number | undefined;
}

async function leasesOf(desk: Desk, request: ParsedRequestOf<'ack' | 'nack' | 'extend'>) {
  const refs = request.body.receipts.map((receipt, at) => ({ receipt, ref: checkedReceipt(receipt, at) }));
  const numbers = await groupNumbers(desk, request.params);
  const { epoch } = desk.replica.store;
  const leases: LeaseRef[] = [];
  const receipts = refs.map(({ receipt, ref }): SentReceipt => {
    const isFromHere = ref.epoch === epoch && ref.topic === numbers.topic && ref.group === numbers.group;
    if (!isFromHere) return { receipt, index: undefined };
    leases.push({ position: ref.position, token: ref.token });
    return { receipt, index: leases.length - 1 };
  });
  return { numbers, receipts, leases };
}

/** @throws HF_INVALID_REQUEST for a typing error */
function checkedReceipt(receipt: string, at: number): ReceiptRef {
  const ref = decodeReceipt(receipt);
  if (ref !== undefined) return ref;
  throw new HoldfastError('HF_INVALID_REQUEST', { fields: [{ path: `receipts.${at}`, message: 'is no receipt' }] });
}

function merged(receipts: readonly SentReceipt[], answers: readonly Result['result'][]): Result[] {
  return receipts.map(({ receipt, index }) => ({
    receipt,
    result: (index === undefined ? undefined : answers[index]) ?? 'notFound',
  }));
}

/** By the attempts that the leases count now: the leader decides, apply only adds the delay to its clock. */
function backoffsMs(desk: Desk, numbers: GroupNumbers, leases: readonly LeaseRef[]): Promise<number[]> {
  return readLeading(desk, (view, { scheduler }) =>
    leases.map(({ position }) => {
      const attempt = view.hold(numbers.topic, numbers.group, position)?.attempt ?? 1;
      return scheduler.backoffMs(numbers.topic, numbers.group, attempt);
    }),
  );
}
