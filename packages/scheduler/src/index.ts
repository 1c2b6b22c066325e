// @holdfast/scheduler: the hands of the leader. It leases what is due, and nothing else.
export { type Bounds, defaultBounds } from './bounds.ts';
export { type ClusterClock, type ClusterClockOptions, createClusterClock, type Skew } from './cluster-time.ts';
export { createScheduler } from './leadership.ts';
export type { Delivery, Proposal, ReceiveAnswer, ReceiveRequest, SchedulerPorts } from './ports.ts';
export type { Scheduler, SchedulerConfig, SchedulerStatus } from './scheduler.ts';
