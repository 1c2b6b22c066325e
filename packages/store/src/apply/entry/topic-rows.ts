// Topics and groups are changed in memory; their rows are made once, when the entry ends.
import { encodeGroup, type GroupRow } from '../../rows/group-row.ts';
import type { Keyspace } from '../../rows/keyspace.ts';
import type { Row } from '../../rows/row.ts';
import type { RowSum } from '../../rows/row-sum.ts';
import { encodeTopic } from '../../rows/topic-row.ts';
import type { TopicState } from './topic-draft.ts';

/** A put, or a delete where `value` is undefined. */
export interface RowChange {
  readonly key: Buffer;
  readonly value: Buffer | undefined;
}

/** @param sum is told of every row that comes or goes */
export function changedTopicRows(
  keys: Keyspace,
  before: TopicState | undefined,
  after: TopicState,
  sum: RowSum | undefined,
): readonly RowChange[] {
  const changes: RowChange[] = [];
  const change = (was: Row | undefined, is: Row | undefined): void => {
    if (was !== undefined) sum?.subtract(was.key, was.value);
    if (is !== undefined) sum?.add(is.key, is.value);
    const key = is?.key ?? was?.key;
    if (key !== undefined) changes.push({ key, value: is?.value });
  };
  const topic = after.row.number;
  const groupRow = (group: GroupRow): Row => encodeGroup(keys.group(topic, group.number), group);
  // What stood there is encoded again for the sum alone.
  const wasRow = <T>(was: T | undefined, encode: (was: T) => Row): Row | undefined =>
    was === undefined || sum === undefined ? undefined : encode(was);

  if (before?.row !== after.row) {
    const key = keys.topic(topic);
    change(
      wasRow(before?.row, (row) => encodeTopic(key, row)),
      encodeTopic(key, after.row),
    );
  }
  for (const [number, group] of after.groups) {
    const was = before?.groups.get(number);
    if (was !== group) change(wasRow(was, groupRow), groupRow(group));
  }
  for (const [number, group] of before?.groups ?? []) {
    if (!after.groups.has(number)) change(groupRow(group), undefined);
  }
  return changes;
}
