import { expect, test } from 'vitest';
import { defaultLimits } from '../../bounds.ts';
import { Keyspace } from '../../rows/keyspace.ts';
import { firstMeta } from '../../rows/meta-row.ts';
import { type Before, EntryRows, noRetry } from './entry-rows.ts';
import { TopicDraft } from './topic-draft.ts';

const nothing: Before = {
  meta: { ...firstMeta, clockMs: 500, seq: 10, nextTopic: 2 },
  topicCount: 1,
  topic: (number) => (number === 1 ? TopicDraft.create(1, 'old').done() : undefined),
  topicNumber: (name) => (name === 'old' ? 1 : undefined),
  read: () => undefined,
};
const entry = { index: 1, term: 1 };
const position = { fireAtMs: 600, seq: 3 };
const receiveId = Buffer.alloc(16);
const hold = {
  position,
  state: 'leased',
  token: 1,
  attempt: 1,
  untilMs: 9,
  receiveId,
  ...noRetry,
  reason: '',
} as const;
const empty = { headers: Buffer.of(), body: Buffer.of() };

/** One change of every kind. */
function changeEverything(rows: EntryRows): void {
  const seq = rows.nextSeq();
  rows.changeMeta({ horizonSeq: seq, beginTerm: seq });
  rows.putMessage(1, { fireAtMs: 600, seq }, empty);
  rows.changeHold(1, 1, hold, { ...hold, state: 'retry', retryAtMs: 700, retrySeq: seq });
  rows.putEnded(1, position, { kind: 'cancelled' });
  rows.putAnswer(1, 'k', {
    requestHash: receiveId,
    untilMs: 9,
    answer: { kind: 'scheduled', topic: 1, positions: [] },
  });
  rows.deleteMessage(1, position);
  const draft = rows.draft(1);
  if (draft === undefined) throw new Error('no topic');
  draft.row.scheduled += 1;
  rows.putTopic(draft);
  rows.putTopic(rows.createTopic(`new ${seq}`));
  rows.changes.push({ kind: 'begun', term: 1, releaseFromMs: seq });
}

const factsOf = (rows: EntryRows): unknown => {
  const { meta, rows: changed, topics, sum } = rows.result();
  return structuredClone({
    meta,
    changed: [...changed],
    topics: [...topics],
    sum: sum?.bytes().toString('hex'),
    changes: rows.changes,
    count: rows.topicCount,
  });
};

const summed: Before = {
  ...nothing,
  meta: { ...nothing.meta, activeVersion: 2, hash: { kind: 'rows', sum: Buffer.alloc(16, 1), isWhole: true } },
};

test.each([
  ['1', nothing],
  ['2', summed],
])('version %s: of a refused command nothing stays, and of the ones before it everything does', (_version, before) => {
  const rows = new EntryRows(before, entry, 600, new Keyspace(1), defaultLimits);
  const fresh = factsOf(rows);
  changeEverything(rows);
  const changed = factsOf(rows);
  rows.rollBack();
  expect(factsOf(rows)).toEqual(fresh);
  changeEverything(rows);
  expect(factsOf(rows)).toEqual(changed);
  rows.keep();
  changeEverything(rows);
  expect(factsOf(rows)).not.toEqual(changed);
  rows.rollBack();
  expect(factsOf(rows)).toEqual(changed);
});

test('commands of one entry see what those before them changed, and what stood before the entry', () => {
  const rows = new EntryRows(nothing, entry, 600, new Keyspace(1), defaultLimits);
  expect(rows.hasMessage(1, position)).toBe(false);
  rows.putMessage(1, position, empty);
  expect(rows.hasMessage(1, position)).toBe(true);
  rows.changeHold(1, 1, undefined, hold);
  expect(rows.hold(1, 1, position)).toEqual(hold);
  rows.putEnded(1, position, { kind: 'cancelled' });
  expect(rows.ended(1, position)).toEqual({ kind: 'cancelled', endedAtMs: 600 });
  const draft = rows.createTopic('new');
  rows.putTopic(draft);
  expect([rows.draftNamed('new')?.row.number, rows.draftNamed('old')?.row.number, rows.draftNamed('none')]).toEqual([
    2,
    1,
    undefined,
  ]);
  expect([rows.topicCount, rows.now]).toEqual([2, { fireAtMs: 600, seq: 10 }]);
  rows.deleteMessage(1, position);
  expect(rows.hasMessage(1, position)).toBe(false);
});
