// Topics and groups: their settings and their counts.
import { type AnswerOf, HoldfastError, OutcomeUnknownError, type ParsedRequestOf } from '@holdfast/api';
import type { GroupConfig, GroupInfo, GroupStart, Hold, Position, TopicInfo, View } from '@holdfast/store';
import { origin } from '@holdfast/store';
import { activeGroupOf, type Desk, readHere, readLeading, topicOf } from './desk.ts';
import { decodeHeaders } from './headers.ts';
import { encodeCursor, encodeId } from './ids.ts';
import { proposed } from './outcome.ts';
import { bytesOf, cursorPosition, type Page, pageBytes } from './page.ts';

type TopicSeen = AnswerOf<'topic'>;
type GroupSeen = AnswerOf<'group'>;
type DeadLetter = AnswerOf<'deadLetters'>['messages'][number];

/** Holds that one page of dead letters looks at: leases and retries stand between them. */
const holdsPerStep = 500;
const stepsPerPage = 10;

export async function topics(desk: Desk): Promise<AnswerOf<'topics'>> {
  return readHere(desk, (view) => ({ topics: view.topics().map((topic) => topicSeen(view, topic)) }));
}

export async function topic(desk: Desk, request: ParsedRequestOf<'topic'>): Promise<TopicSeen> {
  return readHere(desk, (view) => topicSeen(view, topicOf(view, request.params.topic)));
}

export async function group(desk: Desk, request: ParsedRequestOf<'group'>): Promise<GroupSeen> {
  return readHere(desk, (view) => {
    const found = view.groupByName(topicOf(view, request.params.topic).number, request.params.group);
    if (found === undefined) throw new HoldfastError('HF_GROUP_NOT_FOUND');
    return groupSeen(found);
  });
}

export async function putGroup(desk: Desk, request: ParsedRequestOf<'putGroup'>): Promise<GroupSeen> {
  // The settings of a group that is there may change on a full disk, too: consumers say them when they start.
  await readLeading(desk, (view) => {
    if (!isThere(view, request.params)) desk.requireRoom();
  });
  const { start, ...settings } = request.body;
  await proposed<'createGroup'>(desk.replica, {
    kind: 'createGroup',
    ...request.params,
    start: groupStart(start),
    config: groupConfig(settings),
    replaceConfig: true,
  });
  try {
    return await readLeading(desk, (view) => groupSeen(activeGroupOf(view, request.params)));
  } catch (cause) {
    // The read's own error says that nothing was applied, which by now is not so.
    if (cause instanceof HoldfastError) throw new OutcomeUnknownError({}, { cause });
    throw cause;
  }
}

export async function deleteGroup(
  desk: Desk,
  request: ParsedRequestOf<'deleteGroup'>,
): Promise<AnswerOf<'deleteGroup'>> {
  const found = await readLeading(desk, (view) => activeGroupOf(view, request.params));
  return proposed<'deleteGroup'>(desk.replica, { kind: 'deleteGroup', topic: found.topic, group: found.number });
}

export async function deadLetters(
  desk: Desk,
  request: ParsedRequestOf<'deadLetters'>,
): Promise<AnswerOf<'deadLetters'>> {
  return readHere(desk, async (view) => {
    const found = activeGroupOf(view, request.params);
    const place = { epoch: desk.replica.store.epoch, topic: found.topic };
    const page = await pageOfDeadLetters(view, found, {
      after: cursorPosition(request.query.cursor, place, origin),
      limit: request.query.limit,
    });
    return {
      messages: page.rows.map(({ position, ...letter }) => ({ id: encodeId({ ...place, position }), ...letter })),
      ...(page.next === undefined ? {} : { cursor: encodeCursor({ ...place, position: page.next }) }),
    };
  });
}

type Letter = Omit<DeadLetter, 'id'> & { readonly position: Position };

/** A page may hold fewer than `limit`, or none, and still have a next one: looking is bounded as well as finding. */
async function pageOfDeadLetters(
  view: View,
  found: GroupInfo,
  request: { readonly after: Position; readonly limit: number },
): Promise<Page<Letter>> {
  const rows: Letter[] = [];
  let bytes = 0;
  let after = request.after;
  for (let step = 0; step < stepsPerPage; step += 1) {
    const holds = await view.holds(found.topic, found.number, after, holdsPerStep);
    for (const hold of holds) {
      after = hold.position;
      const message = hold.state === 'dead' ? view.message(found.topic, hold.position) : undefined;
      if (message === undefined) continue;
      rows.push(letterOf(hold, message));
      bytes += bytesOf(message);
      if (rows.length >= request.limit || bytes >= pageBytes) return { rows, next: after };
    }
    if (holds.length < holdsPerStep) return { rows, next: undefined };
  }
  return { rows, next: after };
}

const letterOf = (hold: Hold, message: { readonly headers: Uint8Array; readonly body: Uint8Array }): Letter => ({
  position: hold.position,
  deliverAtMs: hold.position.fireAtMs,
  attempts: hold.attempt,
  reason: hold.reason,
  headers: decodeHeaders(message.headers),
  bodyBytes: message.body,
});

function isThere(view: View, names: { readonly topic: string; readonly group: string }): boolean {
  const found = view.topicByName(names.topic);
  return found !== undefined && view.groupByName(found.number, names.group) !== undefined;
}

export function groupStart(start: 'earliest' | 'now' | number): GroupStart {
  return typeof start === 'number' ? { kind: 'time', timeMs: start } : { kind: start };
}

export function groupConfig(settings: {
  readonly maxAttempts: number;
  readonly backoffFirst: number;
  readonly backoffMax: number;
}): GroupConfig {
  return {
    maxAttempts: settings.maxAttempts,
    backoffFirstMs: settings.backoffFirst,
    backoffMaxMs: settings.backoffMax,
  };
}

function topicSeen(view: View, seen: TopicInfo): TopicSeen {
  const { name, scheduled, cancelled, stopped, delivered, skipped } = seen;
  const stored = scheduled - cancelled - stopped - delivered - skipped;
  return {
    name,
    scheduled,
    stored,
    cancelled,
    stopped,
    delivered,
    skipped,
    groups: view.groups(seen.number).map(groupSeen),
  };
}

function groupSeen(seen: GroupInfo): GroupSeen {
  return {
    name: seen.name,
    state: seen.state,
    ...seen.config,
    cursorMs: seen.cursor.fireAtMs,
    outstanding: seen.outstanding,
    acknowledged: seen.acknowledged,
    dead: seen.dead,
  };
}
