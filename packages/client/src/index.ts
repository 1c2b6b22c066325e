// The surface a user programs against.
export { type Carrier, type NodeCaller, NodeUnreachable } from './carrier.ts';
export {
  type CallOptions,
  type ClientParts,
  type Duration,
  durationMs,
  giveUpAfterMsOf,
  type ReadOptions,
} from './client-parts.ts';
export { type ClientClock, createRandomBytes, systemClock } from './clock.ts';
export { type ConnectOptions, connect } from './connect.ts';
export type { GroupSettings, NackOptions } from './deliveries.ts';
export type { Group, Receipts, ReceiveOptions } from './group.ts';
export { createStore, type HoldfastStore } from './holdfast-store.ts';
export { createHttpCaller } from './http-caller.ts';
export type { DeadLetter, Delivery, ListedMessage, MessageSeen, Scheduled } from './message.ts';
export type { SchemaIssue, SchemaResult, StandardSchema } from './payload.ts';
export {
  type CarrierCounters,
  createRetryingCarrier,
  type RetryingCarrier,
  type RetryingCarrierOptions,
} from './retrying-carrier.ts';
export type { ListOptions, MessageToSend, ScheduleOptions, Topic, When, WriteOptions } from './topic.ts';
export { LeaseLostError } from './worker/lease-keeper.ts';
export type { Handler, Worker, WorkerCounters, WorkerErrorPlace, WorkerMessage, WorkerOptions } from './worker.ts';
