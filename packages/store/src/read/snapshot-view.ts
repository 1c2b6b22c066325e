// The view: what stood when it was taken, to the end of the read. LevelDB's snapshot, the sealed layers, clock, seq and
// catalog are of one moment [P1]; a turn that is written meanwhile changes none of them [P2].
import type { TopicState } from '../apply/entry/topic-draft.ts';
import { fateOf } from '../fate.ts';
import { comparePositions, origin, type Position } from '../position.ts';
import { decodeEnded, type EndedRow } from '../rows/ended-row.ts';
import type { GroupRow } from '../rows/group-row.ts';
import { decodeHold, decodeRetry } from '../rows/hold-row.ts';
import {
  groupRowPosition,
  type KeyRange,
  type Keyspace,
  messagePosition,
  readAnswerTime,
  readEndedTime,
} from '../rows/keyspace.ts';
import { decodeMessage } from '../rows/message-row.ts';
import type { Meta } from '../rows/meta-row.ts';
import { CorruptRow } from '../rows/row.ts';
import type { Fate } from '../verdict.ts';
import type { GroupInfo, Hold, MessageRow, RetryRow, TopicInfo, View } from '../view.ts';
import type { CatalogState } from './catalog.ts';
import { newest } from './layers.ts';
import type { LowWater } from './low-water.ts';
import { type ScannedRow, type ScanSource, scan } from './scan.ts';

export interface ViewParts extends ScanSource {
  readonly keys: Keyspace;
  readonly meta: Meta;
  readonly catalog: CatalogState;
  readonly lowWater: LowWater;
}

type DueAnswers = Awaited<ReturnType<View['dueAnswers']>>;
type DueEnded = Awaited<ReturnType<View['dueEnded']>>;

/** A range of positions, and the name under which its low-water mark is kept. */
interface PositionRange {
  readonly name: string;
  readonly after: Position;
  /** Every row that is still to come lands above it. */
  readonly floor: Position;
  readonly keys: (after: Position) => KeyRange;
  readonly positionOf: (key: Buffer) => Position;
}

export class SnapshotView implements View {
  readonly #parts: ViewParts;

  constructor(parts: ViewParts) {
    this.#parts = parts;
  }

  get appliedIndex(): number {
    return this.#parts.meta.appliedIndex;
  }

  get clockMs(): number {
    return this.#parts.meta.clockMs;
  }

  get seq(): number {
    return this.#parts.meta.seq;
  }

  topics(): readonly TopicInfo[] {
    return [...this.#parts.catalog.topics.values()].map(topicInfo);
  }

  topicByName(name: string): TopicInfo | undefined {
    const number = this.#parts.catalog.numbers.get(name);
    const state = number === undefined ? undefined : this.#parts.catalog.topics.get(number);
    return state === undefined ? undefined : topicInfo(state);
  }

  groups(topic: number): readonly GroupInfo[] {
    const groups = this.#parts.catalog.topics.get(topic)?.groups.values() ?? [];
    return [...groups].map((group) => groupInfo(topic, group));
  }

  /** One that is being deleted is not found by its name: another may have it already. */
  groupByName(topic: number, name: string): GroupInfo | undefined {
    for (const group of this.#parts.catalog.topics.get(topic)?.groups.values() ?? []) {
      if (group.name === name && group.state === 'active') return groupInfo(topic, group);
    }
    return undefined;
  }

  message(topic: number, position: Position): MessageRow | undefined {
    const key = this.#parts.keys.ofTopic('message', topic, position);
    const value = this.#get(key);
    return value === undefined ? undefined : { position, ...decodeMessage(key, value) };
  }

  hold(topic: number, group: number, position: Position): Hold | undefined {
    const key = this.#parts.keys.ofGroup('hold', topic, group, position);
    const value = this.#get(key);
    return value === undefined ? undefined : decodeHold(position, key, value);
  }

  ended(topic: number, position: Position): EndedRow | undefined {
    const key = this.#parts.keys.ofTopic('ended', topic, position);
    const value = this.#get(key);
    return value === undefined ? undefined : decodeEnded(key, value);
  }

  fate(topic: number, position: Position): Fate {
    const state = this.#parts.catalog.topics.get(topic);
    if (state === undefined) return { kind: 'notFound' };
    return fateOf(this.#parts.meta, state.row.nextGroup > 1, position, this.ended(topic, position));
  }

  async lane(topic: number, after: Position, to: Position, limit: number): Promise<readonly Position[]> {
    const rows = await this.#scan(this.#lane(topic, after, to), limit, false);
    return rows.map((row) => messagePosition(row.key));
  }

  async messages(topic: number, after: Position, to: Position, limit: number): Promise<readonly MessageRow[]> {
    const rows = await this.#scan(this.#lane(topic, after, to), limit, true);
    return rows.map((row) => ({ position: messagePosition(row.key), ...decodeMessage(row.key, valueOf(row)) }));
  }

  async holds(topic: number, group: number, after: Position, limit: number): Promise<readonly Hold[]> {
    const range: PositionRange = {
      name: `hold/${topic}/${group}`,
      after,
      // A new hold stands above the cursor that its lease moved.
      floor: this.#parts.catalog.topics.get(topic)?.groups.get(group)?.cursor ?? origin,
      keys: (from) => this.#parts.keys.groupRange('hold', topic, group, from),
      positionOf: groupRowPosition,
    };
    const rows = await this.#scan(range, limit, true);
    return rows.map((row) => decodeHold(groupRowPosition(row.key), row.key, valueOf(row)));
  }

  async retries(
    topic: number,
    group: number,
    after: { readonly retryAtMs: number; readonly retrySeq: number },
    limit: number,
  ): Promise<readonly RetryRow[]> {
    const range: PositionRange = {
      name: `retry/${topic}/${group}`,
      after: { fireAtMs: after.retryAtMs, seq: after.retrySeq },
      floor: this.#now,
      keys: (from) => this.#parts.keys.groupRange('retry', topic, group, from),
      positionOf: groupRowPosition,
    };
    const rows = await this.#scan(range, limit, true);
    return rows.map((row) => {
      const { fireAtMs: retryAtMs, seq: retrySeq } = groupRowPosition(row.key);
      return { retryAtMs, retrySeq, position: decodeRetry(row.key, valueOf(row)) };
    });
  }

  async dueAnswers(toMs: number, limit: number): Promise<DueAnswers> {
    // An answer is kept for a ms or more: none is still to come for the clock's own ms.
    const rows = await this.#scanTimes('answerTime', toMs, { limit, floorMs: this.clockMs + 1 });
    return rows.map((row) => readAnswerTime(row.key));
  }

  async dueEnded(toMs: number, limit: number): Promise<DueEnded> {
    const rows = await this.#scanTimes('endedTime', toMs, { limit, floorMs: this.clockMs });
    return rows.map((row) => readEndedTime(row.key));
  }

  close(): Promise<void> {
    return this.#parts.snapshot.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #now(): Position {
    return { fireAtMs: this.clockMs, seq: this.seq };
  }

  #get(key: Buffer): Uint8Array | undefined {
    const pending = newest(this.#parts.layers, key.toString('latin1'));
    if (pending !== undefined) return pending.value;
    return this.#parts.database.getSync(key, { snapshot: this.#parts.snapshot });
  }

  #lane(topic: number, after: Position, to: Position): PositionRange {
    return {
      name: `message/${topic}`,
      after,
      floor: comparePositions(to, this.#now) < 0 ? to : this.#now,
      keys: (from) => this.#parts.keys.topicRange('message', topic, from, to),
      positionOf: messagePosition,
    };
  }

  async #scan(range: PositionRange, limit: number, values: boolean): Promise<readonly ScannedRow[]> {
    const { lowWater } = this.#parts;
    const { name, floor } = range;
    const { appliedIndex } = this;
    const after = lowWater.raise(name, range.after, appliedIndex);
    const rows = await scan(this.#parts, range.keys(after), { limit, values });
    const first = rows[0] === undefined ? undefined : range.positionOf(rows[0].key);
    if (limit > 0) lowWater.learn(name, { after, first, floor, appliedIndex });
    return rows;
  }

  /** Times as positions: a row of time t is (t, 1), so a mark (t, 0) means that nothing stands before t. */
  async #scanTimes(
    table: 'answerTime' | 'endedTime',
    toMs: number,
    { limit, floorMs }: { readonly limit: number; readonly floorMs: number },
  ): Promise<readonly ScannedRow[]> {
    const range: PositionRange = {
      name: table,
      after: origin,
      floor: { fireAtMs: Math.min(toMs + 1, floorMs), seq: 0 },
      keys: (from) => this.#parts.keys.timeRange(table, from.fireAtMs, toMs),
      positionOf: (key) => ({
        fireAtMs: table === 'answerTime' ? readAnswerTime(key).untilMs : readEndedTime(key).endedAtMs,
        seq: 1,
      }),
    };
    return this.#scan(range, limit, false);
  }
}

function valueOf(row: ScannedRow): Uint8Array {
  if (row.value === undefined) throw new CorruptRow(row.key, 'the database gave no value');
  return row.value;
}

function topicInfo({ row }: TopicState): TopicInfo {
  const { number, name, scheduled, cancelled, stopped, delivered, skipped } = row;
  return { number, name, scheduled, cancelled, stopped, delivered, skipped };
}

function groupInfo(topic: number, group: GroupRow): GroupInfo {
  const { number, name, state, start, cursor, config, acknowledged, dead, outstanding } = group;
  return { topic, number, name, state, start, cursor, config, acknowledged, dead, outstanding };
}
