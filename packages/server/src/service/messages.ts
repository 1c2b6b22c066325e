// Walk 3/15: a checked request becomes a command, and a verdict becomes an answer. On to store/command.ts.
import { type AnswerOf, bounds, defaults, HoldfastError, type ParsedRequestOf } from '@holdfast/api';
import { comparePositions, type GroupInfo, type NewMessage, origin, type Position, type View } from '@holdfast/store';
import { type Desk, readHere, readLeading, topicOf } from './desk.ts';
import { decodeHeaders, encodeHeaders } from './headers.ts';
import { decodeId, encodeCursor, encodeId, type MessageRef } from './ids.ts';
import { proposed } from './outcome.ts';
import { cursorPosition, pageOfMessages } from './page.ts';
import { hashOfCancel, hashOfSchedule } from './request-hash.ts';

/** Above every position that a message can have. */
const end: Position = { fireAtMs: bounds.deliverAtMs + bounds.delayMs, seq: 0 };

export async function schedule(desk: Desk, request: ParsedRequestOf<'schedule'>): Promise<AnswerOf<'schedule'>> {
  desk.leading();
  desk.requireRoom();
  const messages = request.body.messages.map(
    (message): NewMessage => ({ at: message.at, headers: encodeHeaders(message.headers), body: message.body }),
  );
  const batchBytes = messages.reduce((sum, { headers, body }) => sum + headers.length + body.length, 0);
  if (batchBytes > bounds.batchBytes)
    throw new HoldfastError('HF_BODY_TOO_LARGE', {
      detail: `The batch has ${batchBytes} bytes, at most ${bounds.batchBytes} are allowed.`,
      fields: [{ path: 'messages', message: `must be at most ${bounds.batchBytes} bytes together` }],
    });
  const { topic } = request.params;
  const verdict = await proposed<'schedule'>(desk.replica, {
    kind: 'schedule',
    topic,
    messages,
    idempotency: idempotencyOf(request.idempotencyKey, () => hashOfSchedule(topic, messages)),
  });
  const { epoch } = desk.replica.store;
  return {
    messages: verdict.positions.map((position) => ({
      id: encodeId({ epoch, topic: verdict.topic, position }),
      deliverAtMs: position.fireAtMs,
    })),
    repeated: verdict.repeated,
  };
}

export async function cancel(desk: Desk, request: ParsedRequestOf<'cancel'>): Promise<AnswerOf<'cancel'>> {
  const { id, topic: topicName } = request.params;
  const ref = checkedId(id);
  const topic = await readLeading(desk, (view) => topicOf(view, topicName).number);
  if (!isFromHere(desk, ref, topic)) return { kind: 'notFound' };
  const verdict = await proposed<'cancel'>(desk.replica, {
    kind: 'cancel',
    topic,
    position: ref.position,
    idempotency: idempotencyOf(request.idempotencyKey, () => hashOfCancel(topicName, id)),
  });
  switch (verdict.kind) {
    case 'leased':
      return { kind: verdict.kind, leasedUntilMs: verdict.leasedUntilMs };
    case 'stopped':
      return { kind: verdict.kind, attempts: verdict.attempts };
    case 'cancelled':
    case 'delivered':
    case 'skipped':
    case 'notFound':
    case 'forgotten':
      return { kind: verdict.kind };
    default:
      return verdict satisfies never;
  }
}

export async function get(desk: Desk, request: ParsedRequestOf<'get'>): Promise<AnswerOf<'get'>> {
  const { id, topic: topicName } = request.params;
  const ref = checkedId(id);
  return readHere(desk, (view) => {
    const topic = topicOf(view, topicName).number;
    if (!isFromHere(desk, ref, topic)) throw new HoldfastError('HF_MESSAGE_NOT_FOUND');
    return messageSeen(view, topic, ref.position, id);
  });
}

export async function list(desk: Desk, request: ParsedRequestOf<'list'>): Promise<AnswerOf<'list'>> {
  const { dueAfter, dueBefore, limit, cursor } = request.query;
  return readHere(desk, async (view) => {
    const place = { epoch: desk.replica.store.epoch, topic: topicOf(view, request.params.topic).number };
    const first = dueAfter === undefined ? origin : { fireAtMs: dueAfter, seq: 0 };
    const after = cursorPosition(cursor, place, first);
    // No message has seq 0: what is due at the very instant of `dueBefore` is left out.
    const to = dueBefore === undefined ? end : { fireAtMs: dueBefore, seq: 0 };
    const page = await pageOfMessages(view, place.topic, { after, to, limit });
    return {
      messages: page.rows.map(({ position, headers, body }) => ({
        id: encodeId({ ...place, position }),
        deliverAtMs: position.fireAtMs,
        headers: decodeHeaders(headers),
        bodyBytes: body,
      })),
      ...(page.next === undefined ? {} : { cursor: encodeCursor({ ...place, position: page.next }) }),
    };
  });
}

function idempotencyOf(key: string | undefined, requestHash: () => Uint8Array) {
  return key === undefined ? undefined : { key, requestHash: requestHash(), keepMs: defaults.idempotencyKeepMs };
}

/** @throws HF_INVALID_REQUEST for a typing error */
function checkedId(id: string): MessageRef {
  const ref = decodeId(id);
  if (ref !== undefined) return ref;
  throw new HoldfastError('HF_INVALID_REQUEST', { fields: [{ path: 'id', message: 'is no message id' }] });
}

/** An id of another topic or of another store names no message here, whatever stands at its position. */
const isFromHere = (desk: Desk, ref: MessageRef, topic: number): boolean =>
  ref.topic === topic && ref.epoch === desk.replica.store.epoch;

function messageSeen(view: View, topic: number, position: Position, id: string): AnswerOf<'get'> {
  const message = view.message(topic, position);
  if (message === undefined) {
    const fate = view.fate(topic, position);
    if (fate.kind === 'notFound') throw new HoldfastError('HF_MESSAGE_NOT_FOUND');
    return { id, state: fate.kind, groups: [] };
  }
  const groups = view
    .groups(topic)
    .filter((group) => group.state === 'active' && comparePositions(group.start, position) < 0)
    .map((group) => groupState(view, group, position));
  return {
    id,
    state: stateOf(groups),
    deliverAtMs: position.fireAtMs,
    groups,
    headers: decodeHeaders(message.headers),
    bodyBytes: message.body,
  };
}

type GroupState = AnswerOf<'get'>['groups'][number];

function groupState(view: View, group: GroupInfo, position: Position): GroupState {
  const waiting: GroupState = { group: group.name, state: 'waiting', attempts: 0 };
  if (comparePositions(position, group.cursor) > 0) return waiting;
  const hold = view.hold(group.topic, group.number, position);
  if (hold === undefined) return { group: group.name, state: 'done', attempts: 0 };
  const attempts = hold.attempt;
  switch (hold.state) {
    case 'leased':
      return { group: group.name, state: 'leased', attempts, leasedUntilMs: hold.untilMs };
    case 'retry':
      return { group: group.name, state: 'retry', attempts, retryAtMs: hold.retryAtMs };
    case 'dead':
      return { group: group.name, state: 'dead', attempts };
    case 'aside':
      return waiting;
    default:
      return hold.state satisfies never;
  }
}

/** A message whose groups are all done still stands until it is swept. */
function stateOf(groups: readonly GroupState[]): 'waiting' | 'outstanding' | 'delivered' {
  if (groups.every(({ state }) => state === 'waiting')) return 'waiting';
  return groups.every(({ state }) => state === 'done') ? 'delivered' : 'outstanding';
}
