// Walks every row and says what does not add up. For tests and the simulator.
//
// Conservation of a topic, at every applied index:
//
//   scheduled = lane + cancelled + stopped + delivered + skipped
//
// and of each group that counts, over the messages above its start:
//
//   lane      = at or below its start + waiting + outstanding + dead + acknowledged - gone
//
// where `lane` counts message rows, `waiting` those above its cursor, `outstanding` and `dead` its holds, and `gone` the
// messages above its start that left the lane because all groups were done, this one among them. A message at or below a
// cursor that nobody holds must so be one of the `acknowledged - gone`: one too many was passed over and is lost.
import type { TopicState } from '../apply/entry/topic-draft.ts';
import { comparePositions, origin, type Position } from '../position.ts';
import { decodeAnswer } from '../rows/answer-row.ts';
import { checkMark, decodeEnded } from '../rows/ended-row.ts';
import type { GroupRow } from '../rows/group-row.ts';
import { decodeHold, decodeRetry } from '../rows/hold-row.ts';
import {
  groupOf,
  groupRowPosition,
  messagePosition,
  readAnswerTime,
  readEndedTime,
  topicOf,
  wholeLane,
} from '../rows/keyspace.ts';
import { decodeMessage } from '../rows/message-row.ts';
import { CorruptRow } from '../rows/row.ts';
import type { Hold } from '../view.ts';
import { checkSum } from './check-sum.ts';
import { newest } from './layers.ts';
import type { ViewParts } from './snapshot-view.ts';
import { walk } from './walk.ts';

const maxFaults = 100;

/** @returns sentences, none when all is well */
export async function checkState(parts: ViewParts): Promise<readonly string[]> {
  const faults: string[] = [];
  try {
    for (const state of parts.catalog.topics.values()) await checkTopic(parts, state, faults);
    await checkStrays(parts, faults);
    await checkAnswers(parts, faults);
    await checkEnded(parts, faults);
    await checkSum(parts, faults);
  } catch (error) {
    if (!(error instanceof CorruptRow)) throw error;
    faults.push(error.message);
  }
  return faults.slice(0, maxFaults);
}

/** One group's part in the count. */
interface GroupCount {
  readonly group: GroupRow;
  readonly holds: Map<string, Hold>;
  outstanding: number;
  dead: number;
  belowStart: number;
  waiting: number;
  acknowledged: number;
}

async function checkTopic(parts: ViewParts, state: TopicState, faults: string[]): Promise<void> {
  const { row } = state;
  const say = (what: string): number => faults.push(`topic ${row.number} (${row.name}): ${what}`);
  const counts: GroupCount[] = [];
  for (const group of state.groups.values()) counts.push(await countHolds(parts, row.number, group, say));
  const now = { fireAtMs: parts.meta.clockMs, seq: parts.meta.seq };

  let lane = 0;
  const range = parts.keys.topicRange('message', row.number, wholeLane.after, wholeLane.to);
  for await (const [key, value] of walk(parts, range)) {
    const position = messagePosition(key);
    decodeMessage(key, value);
    lane += 1;
    if (position.seq > parts.meta.seq) say(`${text(position)} has a seq that was not issued`);
    for (const count of counts) countMessage(count, position);
  }
  const { scheduled, cancelled, stopped, delivered, skipped } = row;
  if (scheduled !== lane + cancelled + stopped + delivered + skipped) {
    say(
      `scheduled ${scheduled}, but lane ${lane} + cancelled ${cancelled} + stopped ${stopped} + delivered ${delivered} + skipped ${skipped}`,
    );
  }
  for (const count of counts) checkGroup(count, now, say);
}

async function countHolds(
  parts: ViewParts,
  topic: number,
  group: GroupRow,
  say: (what: string) => void,
): Promise<GroupCount> {
  const holds = new Map<string, Hold>();
  const count = { group, holds, outstanding: 0, dead: 0, belowStart: 0, waiting: 0, acknowledged: 0 };
  let waitingRetries = 0;
  for await (const [key, value] of walk(parts, parts.keys.groupRange('hold', topic, group.number, origin))) {
    const position = groupRowPosition(key);
    const hold = decodeHold(position, key, value);
    holds.set(text(position), hold);
    count[hold.state === 'dead' ? 'dead' : 'outstanding'] += 1;
    if (hold.state === 'retry') waitingRetries += 1;
    if (comparePositions(position, group.start) <= 0 || comparePositions(position, group.cursor) > 0) {
      say(`group ${group.number} holds ${text(position)}, which is not between its start and its cursor`);
    }
  }
  let retries = 0;
  for await (const [key, value] of walk(parts, parts.keys.groupRange('retry', topic, group.number, origin))) {
    const { fireAtMs, seq } = groupRowPosition(key);
    const hold = holds.get(text(decodeRetry(key, value)));
    retries += 1;
    if (hold?.state !== 'retry' || hold.retryAtMs !== fireAtMs || hold.retrySeq !== seq) {
      say(`group ${group.number} has a retry row ${fireAtMs}/${seq} that belongs to no hold`);
    }
  }
  if (retries !== waitingRetries)
    say(`group ${group.number} has ${retries} retry rows and ${waitingRetries} holds that wait`);
  return count;
}

function countMessage(count: GroupCount, position: Position): void {
  const { group, holds } = count;
  if (comparePositions(position, group.start) <= 0) count.belowStart += 1;
  else if (comparePositions(position, group.cursor) > 0) count.waiting += 1;
  else if (!holds.delete(text(position))) count.acknowledged += 1;
}

function checkGroup(count: GroupCount, now: Position, say: (what: string) => void): void {
  const { group, holds, outstanding, dead, acknowledged } = count;
  const name = `group ${group.number} (${group.name})`;
  if (outstanding !== group.outstanding)
    say(`${name} counts ${group.outstanding} outstanding, and holds ${outstanding}`);
  if (dead !== group.dead) say(`${name} counts ${group.dead} dead letters, and holds ${dead}`);
  if (comparePositions(group.start, group.cursor) > 0) say(`${name} has its cursor below its start`);
  if (comparePositions(group.cursor, now) > 0) say(`${name} has its cursor above (clock, seq)`);
  // What a deleted group holds goes in steps, and its messages may go before.
  if (group.state === 'deleting') return;
  for (const position of holds.keys()) say(`${name} holds ${position}, and there is no such message`);
  if (acknowledged !== group.acknowledged - group.gone) {
    say(
      `${name}: ${acknowledged} messages at or below its cursor are held by nobody, but ${group.acknowledged} were acknowledged and ${group.gone} of them are gone`,
    );
  }
}

/** Rows of topics and groups that there are not. */
async function checkStrays(parts: ViewParts, faults: string[]): Promise<void> {
  const { topics } = parts.catalog;
  for (const table of ['message', 'hold', 'retry', 'topic', 'group'] as const) {
    for await (const [key] of walk(parts, parts.keys.wholeTable(table), false)) {
      const topic = topics.get(topicOf(key));
      const known = table === 'message' || table === 'topic' ? topic : topic?.groups.get(groupOf(key));
      if (known === undefined) faults.push(`${table} row ${key.toString('hex')} belongs to nothing`);
    }
  }
}

async function checkAnswers(parts: ViewParts, faults: string[]): Promise<void> {
  let answers = 0;
  for await (const [key, value] of walk(parts, parts.keys.wholeTable('answer'))) {
    decodeAnswer(key, value);
    answers += 1;
  }
  let times = 0;
  for await (const [key, value] of walk(parts, parts.keys.wholeTable('answerTime'))) {
    checkMark(key, value);
    times += 1;
    const { topic, key: idempotencyKey, untilMs } = readAnswerTime(key);
    const answerKey = parts.keys.answer(topic, idempotencyKey);
    const answer = get(parts, answerKey);
    if (answer === undefined || decodeAnswer(answerKey, answer).untilMs !== untilMs) {
      faults.push(`an answer of topic ${topic} until ${untilMs} has a row by its time, and no other`);
    }
  }
  if (answers !== times) faults.push(`${answers} answers, but ${times} of them by their time`);
}

async function checkEnded(parts: ViewParts, faults: string[]): Promise<void> {
  let ended = 0;
  for await (const [key, value] of walk(parts, parts.keys.wholeTable('ended'))) {
    decodeEnded(key, value);
    ended += 1;
    const message = parts.keys.ofTopic('message', topicOf(key), messagePosition(key));
    if (get(parts, message) !== undefined)
      faults.push(`${text(messagePosition(key))} ended, and still stands in its lane`);
  }
  let times = 0;
  for await (const [key, value] of walk(parts, parts.keys.wholeTable('endedTime'))) {
    checkMark(key, value);
    times += 1;
    const { topic, position, endedAtMs } = readEndedTime(key);
    const endedKey = parts.keys.ofTopic('ended', topic, position);
    const row = get(parts, endedKey);
    if (row === undefined || decodeEnded(endedKey, row).endedAtMs !== endedAtMs) {
      faults.push(`the end of ${text(position)} has a row by its time, and no other`);
    }
  }
  if (ended !== times) faults.push(`${ended} ended rows, but ${times} of them by their time`);
}

function get(parts: ViewParts, key: Buffer): Uint8Array | undefined {
  const pending = newest(parts.layers, key.toString('latin1'));
  return pending === undefined ? parts.database.getSync(key, { snapshot: parts.snapshot }) : pending.value;
}

function text({ fireAtMs, seq }: Position): string {
  return `${fireAtMs}/${seq}`;
}
