// The core without the driver, for whoever writes another driver. The manual says in which order a Ready is carried out.
export { InvariantViolated } from './core/assert.ts';
export { createCore } from './core/core.ts';
export {
  type ConfigMember,
  type Configuration,
  decodeConfiguration,
  encodeConfiguration,
} from './core/membership/configuration.ts';
export type { LoggedConfiguration } from './core/membership/roster.ts';
export type { Entry, EntryKind, Message, MessageBody, MessageKind, MessageOf, NodeId } from './core/message.ts';
export type { HardState, ReadState, Ready, Receipt, Restore, Write } from './core/ready.ts';
export type {
  Changed,
  ChangeRefusal,
  Core,
  CoreConfig,
  CoreState,
  CoreStatus,
  FollowerStatus,
  LogReader,
  MembershipChange,
  Proposed,
  Role,
  Transferred,
} from './core/types.ts';
export { CorruptEntry, decodeEntry, encodeEntry } from './log/entry.ts';
export { decodePayload, encodePayload, type Payload } from './log/payload.ts';
