// What is in memory from the start: the meta row, topics and groups.
import type { TopicState } from '../apply/entry/topic-draft.ts';
import type { GroupRow } from '../rows/group-row.ts';
import { decodeGroup } from '../rows/group-row.ts';
import { groupOf, type Keyspace, type Table, topicOf } from '../rows/keyspace.ts';
import { decodeMeta, firstMeta, type Meta } from '../rows/meta-row.ts';
import { bufferOf, CorruptRow } from '../rows/row.ts';
import { decodeTopic } from '../rows/topic-row.ts';
import type { StateReader } from '../state-reader.ts';

const chunkRows = 1_000;

/** @throws CorruptRow, also when there are rows and no meta row */
export async function loadState(
  database: StateReader,
  keys: Keyspace,
): Promise<{ readonly meta: Meta; readonly topics: ReadonlyMap<number, TopicState> }> {
  const metaKey = keys.single('meta');
  const value = database.getSync(metaKey);
  if (value === undefined) {
    for await (const [key] of rowsBetween(database, keys.everything())) {
      throw new CorruptRow(key, 'stands in a state without a meta row');
    }
    return { meta: firstMeta, topics: new Map() };
  }
  return { meta: decodeMeta(metaKey, value), topics: await loadTopics(database, keys) };
}

async function loadTopics(database: StateReader, keys: Keyspace): Promise<ReadonlyMap<number, TopicState>> {
  const groups = new Map<number, Map<number, GroupRow>>();
  for await (const [key, value] of tableRows(database, keys, 'group')) {
    const group = decodeGroup(groupOf(key), key, value);
    const siblings = groups.get(topicOf(key)) ?? new Map<number, GroupRow>();
    groups.set(topicOf(key), siblings.set(group.number, group));
  }
  const topics = new Map<number, TopicState>();
  for await (const [key, value] of tableRows(database, keys, 'topic')) {
    const row = decodeTopic(topicOf(key), key, value);
    topics.set(row.number, { row, groups: groups.get(row.number) ?? new Map() });
  }
  return topics;
}

function tableRows(database: StateReader, keys: Keyspace, table: Table): AsyncGenerator<[Buffer, Uint8Array]> {
  return rowsBetween(database, keys.wholeTable(table));
}

export async function* rowsBetween(
  database: StateReader,
  range: { readonly from: Buffer; readonly to: Buffer },
): AsyncGenerator<[Buffer, Uint8Array]> {
  const snapshot = database.snapshot();
  const iterator = database.iterator({ gte: range.from, lte: range.to, values: true, snapshot });
  try {
    for (let rows = await iterator.nextv(chunkRows); rows.length > 0; rows = await iterator.nextv(chunkRows)) {
      for (const [key, value] of rows) yield [bufferOf(key), value];
    }
  } finally {
    await iterator.close();
    await snapshot.close();
  }
}

/**
 * A transfer brings the meta row first and the fence last: with both, nothing was cut off.
 *
 * @throws CorruptRow
 */
export function checkWhole(database: StateReader, keys: Keyspace): void {
  for (const table of ['meta', 'fence'] as const) {
    const key = keys.single(table);
    if (database.getSync(key) === undefined) throw new CorruptRow(key, `the state has no ${table} row`);
  }
}
