// Consumer groups: made with a start, given another configuration, deleted in bounded steps.
import type { CommandOf, GroupStart } from '../command.ts';
import { comparePositions, origin, type Position } from '../position.ts';
import type { VerdictOf } from '../verdict.ts';
import type { EntryRows } from './entry/entry-rows.ts';

/** Creates topic and group when they are new. A group that is being deleted does not stand in the way of its name. */
export function applyCreateGroup(rows: EntryRows, command: CommandOf<'createGroup'>): VerdictOf<'createGroup'> {
  const existing = rows.draftNamed(command.topic);
  if (existing === undefined && rows.topicCount >= rows.limits.topics) return { kind: 'refused', code: 'topicLimit' };
  const draft = existing ?? rows.createTopic(command.topic);
  const topic = draft.row.number;
  const known = draft.activeGroupNamed(command.group);
  if (known !== undefined) {
    if (command.replaceConfig) {
      known.config = command.config;
      rows.putTopic(draft);
      rows.changes.push({ kind: 'group', topic, group: known.number, state: 'active' });
    }
    return { kind: 'group', topic, group: known.number, created: false };
  }
  // Those that are being deleted count, too: their rows are still there.
  if (draft.groupCount >= rows.limits.groupsPerTopic) return { kind: 'refused', code: 'groupLimit' };
  const start = startPosition(command.start, rows.now);
  const number = draft.row.nextGroup;
  draft.row.nextGroup += 1;
  draft.addGroup({
    number,
    name: command.group,
    state: 'active',
    start,
    cursor: start,
    config: command.config,
    acknowledged: 0,
    gone: 0,
    dead: 0,
    outstanding: 0,
  });
  rows.putTopic(draft);
  rows.changes.push({ kind: 'group', topic, group: number, state: 'active' });
  return { kind: 'group', topic, group: number, created: true };
}

/** Never above `now`: what is scheduled later lands above every start, and no group can miss it. */
function startPosition(start: GroupStart, now: Position): Position {
  if (start.kind === 'earliest') return origin;
  if (start.kind === 'now') return now;
  const asked = { fireAtMs: start.timeMs, seq: 0 };
  return comparePositions(asked, now) <= 0 ? asked : now;
}

/** From here on it counts for nothing; its rows go by `collect`. */
export function applyDeleteGroup(rows: EntryRows, command: CommandOf<'deleteGroup'>): VerdictOf<'deleteGroup'> {
  const draft = rows.draft(command.topic);
  if (draft === undefined) return { kind: 'refused', code: 'topicNotFound' };
  const group = draft.group(command.group);
  if (group === undefined) return { kind: 'refused', code: 'groupNotFound' };
  if (group.state === 'active') {
    group.state = 'deleting';
    rows.putTopic(draft);
    rows.changes.push({ kind: 'group', topic: command.topic, group: command.group, state: 'deleting' });
  }
  return { kind: 'deleting' };
}
