// Walks every row and says what does not add up. For tests, the simulator and `holdfast verify`.
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

/** @returns sentences, none when all is well, and the first 100 when there are more */
export async function checkState(parts: ViewParts): Promise<readonly string[]> {
  const faults: string[] = [];
  const say = (what: string): void => {
    if (faults.length < maxFaults) faults.push(what);
  };
  try {
    for (const state of parts.catalog.topics.values()) await checkTopic(parts, state, say);
    await checkStrays(parts, say);
    await checkAnswers(parts, say);
    await checkEnded(parts, say);
    await checkSum(parts, say);
  } catch (error) {
    if (!(error instanceof CorruptRow)) throw error;
    say(error.message);
  }
  return faults;
}

type Say = (what: string) => void;

async function checkTopic(parts: ViewParts, state: TopicState, sayAll: Say): Promise<void> {
  const { row } = state;
  const say = (what: string): void => sayAll(`topic ${row.number} (${row.name}): ${what}`);
  const groups = [...state.groups.values()].map((group) => new GroupCount(parts, row.number, group, say));
  let lane = 0;
  const range = parts.keys.topicRange('message', row.number, wholeLane.after, wholeLane.to);
  for await (const [key, value] of walk(parts, range)) {
    const position = messagePosition(key);
    decodeMessage(key, value);
    lane += 1;
    if (position.seq > parts.meta.seq) say(`${text(position)} has a seq that was not issued`);
    for (const group of groups) {
      if (!group.isAt(position)) await group.goTo(position);
      group.count(position);
    }
  }
  const { scheduled, cancelled, stopped, delivered, skipped } = row;
  if (scheduled !== lane + cancelled + stopped + delivered + skipped) {
    say(
      `scheduled ${scheduled}, but lane ${lane} + cancelled ${cancelled} + stopped ${stopped} + delivered ${delivered} + skipped ${skipped}`,
    );
  }
  for (const group of groups) await group.end();
}

/**
 * One group's part in the count. Its holds are walked beside the lane, in the same order, and never gathered: dead letters
 * stay for ever, and may be more than memory has room for.
 */
class GroupCount {
  readonly #parts: ViewParts;
  readonly #topic: number;
  readonly #group: GroupRow;
  readonly #say: Say;
  readonly #holds: ReturnType<typeof walk>;
  /** The hold at which the walk stands; undefined before the first, and behind the last. */
  #hold: Hold | undefined;
  /** Its message stands in the lane. */
  #isMet = false;
  #hasEnded = false;
  #outstanding = 0;
  #dead = 0;
  #waitingRetries = 0;
  #acknowledged = 0;

  constructor(parts: ViewParts, topic: number, group: GroupRow, say: Say) {
    this.#parts = parts;
    this.#topic = topic;
    this.#group = group;
    this.#say = say;
    this.#holds = walk(parts, parts.keys.groupRange('hold', topic, group.number, origin));
  }

  /** Everything that it holds below `position` is counted. */
  isAt(position: Position): boolean {
    return this.#hasEnded || (this.#hold !== undefined && comparePositions(this.#hold.position, position) >= 0);
  }

  async goTo(position: Position): Promise<void> {
    while (!this.isAt(position)) await this.#next();
  }

  /** A message of the lane, at which it is. */
  count(position: Position): void {
    const { start, cursor } = this.#group;
    this.#isMet = this.#hold !== undefined && comparePositions(this.#hold.position, position) === 0;
    const wasHanded = comparePositions(position, start) > 0 && comparePositions(position, cursor) <= 0;
    if (wasHanded && !this.#isMet) this.#acknowledged += 1;
  }

  /** The lane is at its end. */
  async end(): Promise<void> {
    while (!this.#hasEnded) await this.#next();
    await this.#checkRetries();
    const { meta } = this.#parts;
    const { number, name, state, start, cursor, outstanding, dead, acknowledged, gone } = this.#group;
    const say = (what: string): void => this.#say(`group ${number} (${name})${what}`);
    if (this.#outstanding !== outstanding) say(` counts ${outstanding} outstanding, and holds ${this.#outstanding}`);
    if (this.#dead !== dead) say(` counts ${dead} dead letters, and holds ${this.#dead}`);
    if (comparePositions(start, cursor) > 0) say(' has its cursor below its start');
    if (comparePositions(cursor, { fireAtMs: meta.clockMs, seq: meta.seq }) > 0)
      say(' has its cursor above (clock, seq)');
    // What a deleted group holds goes in steps, and its messages may go before.
    if (state === 'active' && this.#acknowledged !== acknowledged - gone) {
      say(
        `: ${this.#acknowledged} messages at or below its cursor are held by nobody, but ${acknowledged} were acknowledged and ${gone} of them are gone`,
      );
    }
  }

  async #next(): Promise<void> {
    const { number, name, state, start, cursor } = this.#group;
    if (this.#hold !== undefined && !this.#isMet && state === 'active')
      this.#say(`group ${number} (${name}) holds ${text(this.#hold.position)}, and there is no such message`);
    this.#hold = undefined;
    this.#isMet = false;
    const found = await this.#holds.next();
    if (found.done === true) {
      this.#hasEnded = true;
      return;
    }
    const [key, value] = found.value;
    const position = groupRowPosition(key);
    const hold = decodeHold(position, key, value);
    this.#hold = hold;
    if (hold.state === 'dead') this.#dead += 1;
    else this.#outstanding += 1;
    if (hold.state === 'retry') this.#waitingRetries += 1;
    if (comparePositions(position, start) <= 0 || comparePositions(position, cursor) > 0)
      this.#say(`group ${number} holds ${text(position)}, which is not between its start and its cursor`);
  }

  async #checkRetries(): Promise<void> {
    const { keys } = this.#parts;
    const { number } = this.#group;
    let retries = 0;
    for await (const [key, value] of walk(this.#parts, keys.groupRange('retry', this.#topic, number, origin))) {
      retries += 1;
      const { fireAtMs, seq } = groupRowPosition(key);
      const position = decodeRetry(key, value);
      const holdKey = keys.ofGroup('hold', this.#topic, number, position);
      const row = get(this.#parts, holdKey);
      const hold = row === undefined ? undefined : decodeHold(position, holdKey, row);
      if (hold?.state !== 'retry' || hold.retryAtMs !== fireAtMs || hold.retrySeq !== seq)
        this.#say(`group ${number} has a retry row ${fireAtMs}/${seq} that belongs to no hold`);
    }
    if (retries !== this.#waitingRetries)
      this.#say(`group ${number} has ${retries} retry rows and ${this.#waitingRetries} holds that wait`);
  }
}

/** Rows of topics and groups that there are not. */
async function checkStrays(parts: ViewParts, say: Say): Promise<void> {
  const { topics } = parts.catalog;
  for (const table of ['message', 'hold', 'retry', 'topic', 'group'] as const) {
    for await (const [key] of walk(parts, parts.keys.wholeTable(table), false)) {
      const topic = topics.get(topicOf(key));
      const known = table === 'message' || table === 'topic' ? topic : topic?.groups.get(groupOf(key));
      if (known === undefined) say(`${table} row ${key.toString('hex')} belongs to nothing`);
    }
  }
}

async function checkAnswers(parts: ViewParts, say: Say): Promise<void> {
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
      say(`an answer of topic ${topic} until ${untilMs} has a row by its time, and no other`);
    }
  }
  if (answers !== times) say(`${answers} answers, but ${times} of them by their time`);
}

async function checkEnded(parts: ViewParts, say: Say): Promise<void> {
  let ended = 0;
  for await (const [key, value] of walk(parts, parts.keys.wholeTable('ended'))) {
    decodeEnded(key, value);
    ended += 1;
    const message = parts.keys.ofTopic('message', topicOf(key), messagePosition(key));
    if (get(parts, message) !== undefined) say(`${text(messagePosition(key))} ended, and still stands in its lane`);
  }
  let times = 0;
  for await (const [key, value] of walk(parts, parts.keys.wholeTable('endedTime'))) {
    checkMark(key, value);
    times += 1;
    const { topic, position, endedAtMs } = readEndedTime(key);
    const endedKey = parts.keys.ofTopic('ended', topic, position);
    const row = get(parts, endedKey);
    if (row === undefined || decodeEnded(endedKey, row).endedAtMs !== endedAtMs) {
      say(`the end of ${text(position)} has a row by its time, and no other`);
    }
  }
  if (ended !== times) say(`${ended} ended rows, but ${times} of them by their time`);
}

function get(parts: ViewParts, key: Buffer): Uint8Array | undefined {
  const pending = newest(parts.layers, key.toString('latin1'));
  return pending === undefined ? parts.database.getSync(key, { snapshot: parts.snapshot }) : pending.value;
}

function text({ fireAtMs, seq }: Position): string {
  return `${fireAtMs}/${seq}`;
}
