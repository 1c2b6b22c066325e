// Raft for Node.js: a member of a group, and the interfaces that it is built on. The core alone is `@holdfast/raft/core`.
export type { ConfigMember, Configuration } from './core/membership/configuration.ts';
export type { Entry, EntryKind, Message, MessageBody, MessageKind, NodeId } from './core/message.ts';
export type { HardState } from './core/ready.ts';
export type {
  ChangeRefusal,
  CoreStatus,
  FollowerStatus,
  LogReader,
  MembershipChange,
  Role,
  Transferred,
} from './core/types.ts';
export { driverBounds } from './driver/bounds.ts';
export type { Clock } from './driver/clock.ts';
export { createRaftNode } from './driver/driver.ts';
export type { ChangeOutcome } from './driver/membership/changes.ts';
export type { Outcome, TransferOutcome } from './driver/outcome.ts';
export {
  defaultTiming,
  type RaftNode,
  type RaftNodeOptions,
  type RaftOwner,
  type RaftStatus,
  type RaftTiming,
} from './driver/raft-node.ts';
export type { ReadOutcome } from './driver/reads.ts';
export type { Batch, Database, Range, Row, RowIterator } from './log/database.ts';
export { CorruptEntry, decodeEntry } from './log/entry.ts';
export type { Founding, FoundingRecord, ToldMembers } from './log/founding.ts';
export { type Identity, type Membership, newIdentity } from './log/identity.ts';
export { type VerifiedLog, verifyLog } from './log/level/verify.ts';
export { type LevelLogOptions, openLevelLog } from './log/level-log.ts';
export type { LoggedConfiguration, LogStore, Restore, Turn } from './log/log-store.ts';
export { MemoryLog, type MemoryLogOptions } from './log/memory-log.ts';
export { decodePayload, type Payload } from './log/payload.ts';
export { readGeneration } from './log/recover.ts';
export { type Facts, RaftError, type RaftErrorCode, raftErrors } from './raft-error.ts';
export { defaultRetention, type Retention } from './snapshot/compaction.ts';
export { type RestoredAs, restoreLog } from './snapshot/restore-log.ts';
export type { SnapshotStatus } from './snapshot/snapshots.ts';
export type {
  Effect,
  Effects,
  EntryInfo,
  SnapshotStateMachine,
  StateExport,
  StateMachine,
  StateRow,
} from './state-machine.ts';
export { systemClock } from './system-clock.ts';
export { type Value, ValueMachine } from './value-machine.ts';
export { brings, type Feature, type ProtocolVersion, protocolVersions } from './versions.ts';
export { wireBounds } from './wire/bounds.ts';
export { CorruptMessage, decodeMessage, type EncodedMessage, encodeMessage } from './wire/codec.ts';
export type { FaultName, PeerFault } from './wire/counts.ts';
export { MemoryNetwork } from './wire/memory-network.ts';
export { minSecretBytes, type PeerSecurity } from './wire/security/security.ts';
export { createTcpTransport, type TcpOptions, type TcpTransport } from './wire/tcp.ts';
export type { Address, Guests, Hello, Sample, Transport, TransportEvents } from './wire/transport.ts';
