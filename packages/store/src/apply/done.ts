// When a message may go: every group that counts is done with it [G1]. Whatever makes the last one done deletes it.
import { comparePositions, type Position } from '../position.ts';
import type { GroupRow } from '../rows/group-row.ts';
import type { EntryRows } from './entry/entry-rows.ts';
import type { TopicDraft } from './entry/topic-draft.ts';

/** A group that started after the message never counts as one that was handed it [V1]. */
export function wasHanded(group: GroupRow, position: Position): boolean {
  return comparePositions(group.start, position) < 0 && comparePositions(position, group.cursor) <= 0;
}

/** Neither waits for the message, nor holds it. */
export function isDone(rows: EntryRows, topic: number, group: GroupRow, position: Position): boolean {
  if (comparePositions(group.start, position) >= 0) return true;
  return comparePositions(group.cursor, position) >= 0 && rows.hold(topic, group.number, position) === undefined;
}

/**
 * Deletes the message, which must be there, if no group has anything left to do for it. A topic without groups keeps
 * its messages waiting.
 *
 * @returns whether it went
 */
export function maybeRemove(rows: EntryRows, draft: TopicDraft, position: Position): boolean {
  const topic = draft.row.number;
  const groups = draft.active();
  if (groups.length === 0 || !groups.every((group) => isDone(rows, topic, group, position))) return false;
  rows.deleteMessage(topic, position);
  let handed = false;
  for (const { number, start } of groups) {
    if (comparePositions(start, position) >= 0) continue;
    handed = true;
    const group = draft.group(number);
    if (group !== undefined) group.gone += 1;
  }
  if (handed) draft.row.delivered += 1;
  else draft.row.skipped += 1;
  // A missing row says `delivered` above the horizon only, and never of what was handed to nobody [H5].
  if (!handed) rows.putEnded(topic, position, { kind: 'skipped' });
  else if (position.seq <= rows.meta.horizonSeq) rows.putEnded(topic, position, { kind: 'delivered' });
  return true;
}
