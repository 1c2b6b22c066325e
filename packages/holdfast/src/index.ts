// What one installs: the same store as a client of a cluster, as one node in this process, or as a member of a cluster.
import { connect, type HoldfastStore } from '@holdfast/client';
import { join } from './join.ts';
import { type OpenOptions, open, openOnTestTime, type TestTime } from './open.ts';

export { HoldfastError, OutcomeUnknownError } from '@holdfast/api';
export {
  type ConnectOptions,
  type Delivery,
  type Group,
  type GroupSettings,
  type Handler,
  type HoldfastStore,
  LeaseLostError,
  type MessageSeen,
  type StandardSchema,
  type Topic,
  type When,
  type Worker,
  type WorkerMessage,
  type WorkerOptions,
} from '@holdfast/client';
export { StartError } from '@holdfast/server';
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
