// What one installs: the same store as a client of a cluster, as one node in this process, or as a member of a cluster.
import { connect, type HoldfastStore } from '@holdfast/client';
import { join } from './join.ts';
import { type OpenOptions, open, openOnTestTime, type TestTime } from './open.ts';

export { type ErrorCode, type ErrorFacts, HoldfastError, OutcomeUnknownError } from '@holdfast/api';
export {
  type CallOptions,
  type ConnectOptions,
  type DeadLetter,
  type Delivery,
  type Duration,
  type Group,
  type GroupSettings,
  type Handler,
  type HoldfastStore,
  LeaseLostError,
  type ListedMessage,
  type ListOptions,
  type MessageSeen,
  type MessageToSend,
  type NackOptions,
  type ReadOptions,
  type Receipts,
  type ReceiveOptions,
  type Scheduled,
  type ScheduleOptions,
  type StandardSchema,
  type Topic,
  type When,
  type Worker,
  type WorkerCounters,
  type WorkerErrorPlace,
  type WorkerMessage,
  type WorkerOptions,
  type WriteOptions,
} from '@holdfast/client';
export { type MemberLog, type MemberStatus, RaftError, StartError } from '@holdfast/server';
export type { JoinOptions, MemberStore } from './join.ts';
export type { OpenOptions, TestTime } from './open.ts';

function openStore(options: OpenOptions): Promise<HoldfastStore>;
function openStore<Time extends TestTime>(options: {
  readonly clock: Time;
}): Promise<HoldfastStore & { readonly clock: Time }>;
async function openStore(options: OpenOptions | { readonly clock: TestTime }): Promise<HoldfastStore> {
  if (!('clock' in options)) return open(options);
  return Object.assign(await openOnTestTime(options.clock), { clock: options.clock });
}

export const Holdfast = {
  /** A client of a cluster: `connect({ nodes: ['http://127.0.0.1:7401', ...] })`. */
  connect,
  /** One node in this process: `open({ dataDir: './data' })`; in tests `open({ clock: testClock() })`, in memory. */
  open: openStore,
  /** A member of a cluster in this process. */
  join,
};
