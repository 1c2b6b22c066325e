// Raft for Node.js: a member of a group, and the interfaces that it is built on.
export type { Core, CoreConfig, CoreState, CoreStatus, LogReader, Role } from './core/core.ts';
export type { Entry, EntryKind, Message, MessageBody, NodeId } from './core/message.ts';
export type { HardState } from './core/ready.ts';
export type { Clock } from './driver/clock.ts';
export type { Outcome } from './driver/outcome.ts';
export type { RaftNode, RaftNodeOptions, RaftOwner, RaftStatus, RaftTiming } from './driver/raft-node.ts';
export type { Batch, Database, Range, Row, RowIterator } from './log/database.ts';
export type { LogStore, Turn } from './log/log-store.ts';
export type { Effect, Effects, EntryInfo, StateMachine } from './state-machine.ts';
export type { Hello, Sample, Transport, TransportEvents } from './wire/transport.ts';
