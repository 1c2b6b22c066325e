// A Holdfast node: raft, store and scheduler joined behind a service, and what puts it on the network.
export { createMember } from './create-member.ts';
export type {
  CallOptions,
  Member,
  MemberConfig,
  MemberLog,
  MemberPorts,
  MemberStatus,
  Peer,
  Service,
} from './member.ts';
