// Codecs are inside their packages, and their packages do not export them. This is the one place that reaches in: to the
// sources in tests, to what was built in the command.
import type * as Tally from '../../packages/raft/src/core/election/tally.ts';
import type * as Configuration from '../../packages/raft/src/core/membership/configuration.ts';
import type * as Quorum from '../../packages/raft/src/core/membership/quorum.ts';
import type * as LogView from '../../packages/raft/src/core/replication/log-view.ts';
import type * as Control from '../../packages/raft/src/driver/formation/control.ts';
import type * as Entry from '../../packages/raft/src/log/entry.ts';
import type * as Identity from '../../packages/raft/src/log/identity.ts';
import type * as Payload from '../../packages/raft/src/log/payload.ts';
import type * as TurnRow from '../../packages/raft/src/log/turn-row.ts';
import type * as RaftErrors from '../../packages/raft/src/raft-error.ts';
import type * as Chunk from '../../packages/raft/src/snapshot/chunk.ts';
import type * as SnapshotControl from '../../packages/raft/src/snapshot/control.ts';
import type * as MessageCodec from '../../packages/raft/src/wire/codec.ts';
import type * as Frame from '../../packages/raft/src/wire/frame.ts';
import type * as Handshake from '../../packages/raft/src/wire/handshake.ts';
import type * as Secret from '../../packages/raft/src/wire/security/secret.ts';
import type * as Headers from '../../packages/server/src/service/headers.ts';
import type * as Ids from '../../packages/server/src/service/ids.ts';
import type * as Decode from '../../packages/store/src/codec/decode.ts';
import type * as Encode from '../../packages/store/src/codec/encode.ts';
import type * as AnswerRow from '../../packages/store/src/rows/answer-row.ts';
import type * as CheckRow from '../../packages/store/src/rows/check-row.ts';
import type * as EndedRow from '../../packages/store/src/rows/ended-row.ts';
import type * as GroupRow from '../../packages/store/src/rows/group-row.ts';
import type * as HoldRow from '../../packages/store/src/rows/hold-row.ts';
import type * as Keys from '../../packages/store/src/rows/keyspace.ts';
import type * as MessageRow from '../../packages/store/src/rows/message-row.ts';
import type * as MetaRow from '../../packages/store/src/rows/meta-row.ts';
import type * as Row from '../../packages/store/src/rows/row.ts';
import type * as TopicRow from '../../packages/store/src/rows/topic-row.ts';
import type * as Stamp from '../../packages/store/src/stamp.ts';

const isBuilt = import.meta.url.includes('/test/dist/');

function load(pkg: 'raft' | 'store' | 'server', path: string): Promise<unknown> {
  const inside = isBuilt ? `../../../packages/${pkg}/dist/${path}.js` : `../../packages/${pkg}/src/${path}.ts`;
  return import(new URL(inside, import.meta.url).href);
}

export const tally = (await load('raft', 'core/election/tally')) as typeof Tally;
export const quorum = (await load('raft', 'core/membership/quorum')) as typeof Quorum;
export const configuration = (await load('raft', 'core/membership/configuration')) as typeof Configuration;
export const chunk = (await load('raft', 'snapshot/chunk')) as typeof Chunk;
export const snapshotControl = (await load('raft', 'snapshot/control')) as typeof SnapshotControl;
export const logView = (await load('raft', 'core/replication/log-view')) as typeof LogView;
export const control = (await load('raft', 'driver/formation/control')) as typeof Control;
export const entry = (await load('raft', 'log/entry')) as typeof Entry;
export const identity = (await load('raft', 'log/identity')) as typeof Identity;
export const payload = (await load('raft', 'log/payload')) as typeof Payload;
export const turnRow = (await load('raft', 'log/turn-row')) as typeof TurnRow;
export const raftErrors = (await load('raft', 'raft-error')) as typeof RaftErrors;
export const messageCodec = (await load('raft', 'wire/codec')) as typeof MessageCodec;
export const frame = (await load('raft', 'wire/frame')) as typeof Frame;
export const handshake = (await load('raft', 'wire/handshake')) as typeof Handshake;
export const secret = (await load('raft', 'wire/security/secret')) as typeof Secret;
export const headers = (await load('server', 'service/headers')) as typeof Headers;
export const ids = (await load('server', 'service/ids')) as typeof Ids;
export const commands = {
  ...((await load('store', 'codec/decode')) as typeof Decode),
  ...((await load('store', 'codec/encode')) as typeof Encode),
};
export const rows = {
  ...((await load('store', 'rows/answer-row')) as typeof AnswerRow),
  ...((await load('store', 'rows/check-row')) as typeof CheckRow),
  ...((await load('store', 'rows/ended-row')) as typeof EndedRow),
  ...((await load('store', 'rows/group-row')) as typeof GroupRow),
  ...((await load('store', 'rows/hold-row')) as typeof HoldRow),
  ...((await load('store', 'rows/keyspace')) as typeof Keys),
  ...((await load('store', 'rows/message-row')) as typeof MessageRow),
  ...((await load('store', 'rows/meta-row')) as typeof MetaRow),
  ...((await load('store', 'rows/row')) as typeof Row),
  ...((await load('store', 'rows/topic-row')) as typeof TopicRow),
};
export const stamp = (await load('store', 'stamp')) as typeof Stamp;
