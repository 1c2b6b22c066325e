// Housekeeping in bounded steps. The leader names what it saw; what is no longer so stays.
import { commandBounds } from '../bounds.ts';
import type { CollectStep, CommandOf } from '../command.ts';
import type { VerdictOf } from '../verdict.ts';
import { maybeRemove } from './done.ts';
import type { EntryRows } from './entry/entry-rows.ts';

type Step<K extends CollectStep['kind']> = Extract<CollectStep, { kind: K }>;

interface Collector<K extends CollectStep['kind']> {
  /** How many rows the step names. */
  readonly named: (step: Step<K>) => number;
  /** @returns how many of them went */
  readonly collect: (rows: EntryRows, step: Step<K>) => number;
}

const collectors: { readonly [K in CollectStep['kind']]: Collector<K> } = {
  answers: { named: (step) => step.keys.length, collect: collectAnswers },
  ended: { named: (step) => step.rows.length, collect: collectEnded },
  messages: { named: (step) => step.positions.length, collect: collectMessages },
  group: { named: (step) => step.holds.length, collect: collectGroup },
};

export function applyCollect(rows: EntryRows, command: CommandOf<'collect'>): VerdictOf<'collect'> {
  // A step counts for one row, so that there can not be any number of empty ones.
  const named = command.steps.reduce((sum, step) => sum + 1 + namedIn(step), 0);
  if (named > commandBounds.collectRows) return { kind: 'refused', code: 'tooManyRows' };
  let collected = 0;
  for (const step of command.steps) collected += collectStep(rows, step);
  return { kind: 'collected', rows: collected };
}

// Generic, so that the table needs no cast.
function namedIn<K extends CollectStep['kind']>(step: Step<K> & { readonly kind: K }): number {
  const collector: Collector<K> = collectors[step.kind];
  return collector.named(step);
}

function collectStep<K extends CollectStep['kind']>(rows: EntryRows, step: Step<K> & { readonly kind: K }): number {
  const collector: Collector<K> = collectors[step.kind];
  return collector.collect(rows, step);
}

function collectAnswers(rows: EntryRows, { topic, keys }: Step<'answers'>): number {
  let collected = 0;
  for (const { key, untilMs } of keys) {
    // Another `until` is a newer answer under the same key.
    if (untilMs > rows.clockMs || rows.answer(topic, key)?.untilMs !== untilMs) continue;
    rows.deleteAnswer(topic, key, untilMs);
    collected += 1;
  }
  return collected;
}

function collectEnded(rows: EntryRows, step: Step<'ended'>): number {
  let collected = 0;
  for (const { topic, position, endedAtMs } of step.rows) {
    if (endedAtMs + rows.limits.endedKeepMs > rows.clockMs) continue;
    if (rows.ended(topic, position)?.endedAtMs !== endedAtMs) continue;
    rows.deleteEnded(topic, position, endedAtMs);
    // From now on a missing row of a seq up to this one says nothing.
    rows.changeMeta({ horizonSeq: Math.max(rows.meta.horizonSeq, position.seq) });
    collected += 1;
  }
  return collected;
}

/** What a group's start or its deletion left to nobody [V2]. */
function collectMessages(rows: EntryRows, { topic, positions }: Step<'messages'>): number {
  const draft = rows.draft(topic);
  if (draft === undefined) return 0;
  let collected = 0;
  for (const position of positions) {
    if (rows.hasMessage(topic, position) && maybeRemove(rows, draft, position)) collected += 1;
  }
  if (collected > 0) rows.putTopic(draft);
  return collected;
}

/** Rows of a group in state `deleting`; with `last` the group itself, if nothing of it is left. */
function collectGroup(rows: EntryRows, step: Step<'group'>): number {
  const draft = rows.draft(step.topic);
  const group = draft?.group(step.group);
  if (draft === undefined || group?.state !== 'deleting') return 0;
  let collected = 0;
  for (const position of step.holds) {
    const hold = rows.hold(step.topic, step.group, position);
    if (hold === undefined) continue;
    rows.changeHold(step.topic, step.group, hold, undefined);
    group[hold.state === 'dead' ? 'dead' : 'outstanding'] -= 1;
    collected += 1;
  }
  if (step.last && group.outstanding + group.dead === 0) {
    draft.removeGroup(step.group);
    rows.changes.push({ kind: 'group', topic: step.topic, group: step.group, state: 'deleted' });
    collected += 1;
  }
  rows.putTopic(draft);
  return collected;
}
