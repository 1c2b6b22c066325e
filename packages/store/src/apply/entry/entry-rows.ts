// The rows as one entry sees them: what stood before it, and what its commands have changed so far. Nothing of it is
// visible to a read before the entry ends, and nothing of a refused command stays (a savepoint a command).
import type { StoreLimits } from '../../bounds.ts';
import type { Change } from '../../change.ts';
import { origin, type Position } from '../../position.ts';
import { type AnswerRow, decodeAnswer, encodeAnswer } from '../../rows/answer-row.ts';
import { decodeEnded, type EndedRow, encodeEnded, encodeMark } from '../../rows/ended-row.ts';
import { decodeHold, encodeHold, encodeRetry } from '../../rows/hold-row.ts';
import type { Keyspace } from '../../rows/keyspace.ts';
import { encodeMessage } from '../../rows/message-row.ts';
import type { Meta } from '../../rows/meta-row.ts';
import { openRow, type Row } from '../../rows/row.ts';
import type { RowSum } from '../../rows/row-sum.ts';
import type { Effect } from '../../store.ts';
import type { End } from '../../verdict.ts';
import type { Hold } from '../../view.ts';
import { EntrySum } from './entry-sum.ts';
import { TopicDraft, type TopicState } from './topic-draft.ts';

/** The state before the entry. */
export interface Before {
  readonly meta: Meta;
  readonly topicCount: number;
  topic(number: number): TopicState | undefined;
  topicNumber(name: string): number | undefined;
  /** @param id the key as a latin1 string */
  read(id: string, key: Buffer): Uint8Array | undefined;
}

/** A map with one savepoint. */
class Overlay<K, V> {
  readonly values = new Map<K, V>();
  readonly #undo: [K, V | undefined][] = [];

  set(key: K, value: V): void {
    this.#undo.push([key, this.values.get(key)]);
    this.values.set(key, value);
  }

  keep(): void {
    this.#undo.length = 0;
  }

  rollBack(): void {
    for (let last = this.#undo.pop(); last !== undefined; last = this.#undo.pop()) {
      const [key, before] = last;
      if (before === undefined) this.values.delete(key);
      else this.values.set(key, before);
    }
  }
}

type MutableMeta = { -readonly [K in keyof Meta]: Meta[K] };

export class EntryRows {
  readonly entryTerm: number;
  readonly limits: StoreLimits;
  readonly changes: Change[] = [];
  readonly #before: Before;
  readonly #keys: Keyspace;
  readonly #rows = new Overlay<string, Effect>();
  readonly #topics = new Overlay<number, TopicState>();
  readonly #sum: EntrySum | undefined;
  #meta: MutableMeta;
  #metaSaved: MutableMeta;
  #changesSaved = 0;

  /** @param stampMs undefined for an entry without a stamp: the clock stands still */
  constructor(
    before: Before,
    entry: { readonly index: number; readonly term: number },
    stampMs: number | undefined,
    keys: Keyspace,
    limits: StoreLimits,
  ) {
    this.#before = before;
    this.#keys = keys;
    this.limits = limits;
    this.entryTerm = entry.term;
    const clockMs = Math.max(before.meta.clockMs, stampMs ?? 0);
    this.#meta = { ...before.meta, appliedIndex: entry.index, appliedTerm: entry.term, clockMs };
    this.#metaSaved = { ...this.#meta };
    this.#sum = EntrySum.after(before.meta.hash);
  }

  get meta(): Meta {
    return this.#meta;
  }

  get clockMs(): number {
    return this.#meta.clockMs;
  }

  /** Below every position that is still to come [H2], and above every one that there is. */
  get now(): Position {
    return { fireAtMs: this.#meta.clockMs, seq: this.#meta.seq };
  }

  get topicCount(): number {
    return this.#before.topicCount + this.#meta.nextTopic - this.#before.meta.nextTopic;
  }

  changeMeta(
    change: Partial<Pick<Meta, 'activeVersion' | 'beginTerm' | 'releaseFromMs' | 'graceMs' | 'horizonSeq'>>,
  ): void {
    Object.assign(this.#meta, change);
  }

  /** Never issued twice. */
  nextSeq(): number {
    this.#meta.seq += 1;
    return this.#meta.seq;
  }

  /** Everything that the command changed stays. */
  keep(): void {
    this.#rows.keep();
    this.#topics.keep();
    Object.assign(this.#metaSaved, this.#meta);
    this.#sum?.keep();
    this.#changesSaved = this.changes.length;
  }

  /** Nothing that the command changed stays. */
  rollBack(): void {
    this.#rows.rollBack();
    this.#topics.rollBack();
    Object.assign(this.#meta, this.#metaSaved);
    this.#sum?.rollBack();
    this.changes.length = this.#changesSaved;
  }

  topic(number: number): TopicState | undefined {
    return this.#topics.values.get(number) ?? this.#before.topic(number);
  }

  /** A draft of the topic, to be given back with putTopic. */
  draft(number: number): TopicDraft | undefined {
    const state = this.topic(number);
    return state === undefined ? undefined : new TopicDraft(state);
  }

  draftNamed(name: string): TopicDraft | undefined {
    for (const state of this.#topics.values.values()) if (state.row.name === name) return new TopicDraft(state);
    const number = this.#before.topicNumber(name);
    return number === undefined ? undefined : this.draft(number);
  }

  createTopic(name: string): TopicDraft {
    const draft = TopicDraft.create(this.#meta.nextTopic, name);
    this.#meta.nextTopic += 1;
    return draft;
  }

  putTopic(draft: TopicDraft): void {
    this.#topics.set(draft.row.number, draft.done());
  }

  /** @throws CorruptRow */
  hasMessage(topic: number, position: Position): boolean {
    const key = this.#keys.ofTopic('message', topic, position);
    const value = this.#get(key);
    if (value !== undefined) openRow(key, value, 0);
    return value !== undefined;
  }

  putMessage(
    topic: number,
    position: Position,
    message: { readonly headers: Uint8Array; readonly body: Uint8Array },
  ): void {
    this.#put(encodeMessage(this.#keys.ofTopic('message', topic, position), message));
  }

  deleteMessage(topic: number, position: Position): void {
    this.#delete(this.#keys.ofTopic('message', topic, position));
  }

  hold(topic: number, group: number, position: Position): Hold | undefined {
    const key = this.#keys.ofGroup('hold', topic, group, position);
    const value = this.#get(key);
    return value === undefined ? undefined : decodeHold(position, key, value);
  }

  /** Puts, changes or (`after` undefined) deletes a hold, and its retry row with it. */
  changeHold(topic: number, group: number, before: Hold | undefined, after: Hold | undefined): void {
    if (before?.state === 'retry') this.#delete(this.#keys.ofGroup('retry', topic, group, retryPosition(before)));
    if (after !== undefined) this.#put(encodeHold(this.#keys.ofGroup('hold', topic, group, after.position), after));
    else if (before !== undefined) this.#delete(this.#keys.ofGroup('hold', topic, group, before.position));
    if (after?.state === 'retry') {
      this.#put(encodeRetry(this.#keys.ofGroup('retry', topic, group, retryPosition(after)), after.position));
    }
  }

  ended(topic: number, position: Position): EndedRow | undefined {
    const key = this.#keys.ofTopic('ended', topic, position);
    const value = this.#get(key);
    return value === undefined ? undefined : decodeEnded(key, value);
  }

  putEnded(topic: number, position: Position, end: End): void {
    const endedAtMs = this.clockMs;
    this.#put(encodeEnded(this.#keys.ofTopic('ended', topic, position), { ...end, endedAtMs }));
    this.#put(encodeMark(this.#keys.endedTime(endedAtMs, topic, position)));
  }

  deleteEnded(topic: number, position: Position, endedAtMs: number): void {
    this.#delete(this.#keys.ofTopic('ended', topic, position));
    this.#delete(this.#keys.endedTime(endedAtMs, topic, position));
  }

  answer(topic: number, idempotencyKey: string): AnswerRow | undefined {
    const key = this.#keys.answer(topic, idempotencyKey);
    const value = this.#get(key);
    return value === undefined ? undefined : decodeAnswer(key, value);
  }

  putAnswer(topic: number, idempotencyKey: string, kept: AnswerRow): void {
    this.#put(encodeAnswer(this.#keys.answer(topic, idempotencyKey), kept));
    this.#put(encodeMark(this.#keys.answerTime(kept.untilMs, topic, idempotencyKey)));
  }

  deleteAnswer(topic: number, idempotencyKey: string, untilMs: number): void {
    this.#delete(this.#keys.answer(topic, idempotencyKey));
    this.#delete(this.#keys.answerTime(untilMs, topic, idempotencyKey));
  }

  /** What the entry leaves, rows of topics and groups and the meta row not yet among them. */
  result(): {
    readonly meta: Meta;
    readonly rows: Map<string, Effect>;
    readonly topics: ReadonlyMap<number, TopicState>;
    /** Of the same rows; undefined while none is kept. */
    readonly sum: RowSum | undefined;
  } {
    return { meta: this.#meta, rows: this.#rows.values, topics: this.#topics.values, sum: this.#sum?.rows };
  }

  #get(key: Buffer): Uint8Array | undefined {
    const id = key.toString('latin1');
    const effect = this.#rows.values.get(id);
    if (effect !== undefined) return effect.value;
    const value = this.#before.read(id, key);
    if (value !== undefined) this.#sum?.met(id, key, value);
    return value;
  }

  /** What stood there, if anything, was read, or the key is new. */
  #put(row: Row): void {
    const id = row.key.toString('latin1');
    this.#sum?.put(id, row, this.#rows.values.get(id));
    this.#rows.set(id, row);
  }

  /** It stands there. */
  #delete(key: Buffer): void {
    const id = key.toString('latin1');
    this.#sum?.remove(id, key, this.#rows.values.get(id));
    this.#rows.set(id, { key, value: undefined });
  }
}

function retryPosition(hold: Hold): Position {
  return { fireAtMs: hold.retryAtMs, seq: hold.retrySeq };
}

/** A hold's fields before its first lease. */
export const noRetry: Pick<Hold, 'retryAtMs' | 'retrySeq'> = { retryAtMs: origin.fireAtMs, retrySeq: origin.seq };
