// A Holdfast node: raft, store and scheduler joined behind a service, and what puts it on the network.

export { RaftError, systemClock } from '@holdfast/raft';
export type { VerifiedBackup } from '@holdfast/store';
export { keepBackup, verifyBackupFile } from './backup/file.ts';
export { restoreBackup, type VerifiedDirectory, verifyDirectory } from './backup/stopped.ts';
export { addressText, type NodeConfig, type NodeConfigInput } from './config.ts';
export { allSettings, parseConfig, printConfig, readConfig, type Setting } from './config-sources.ts';
export { createMember } from './create-member.ts';
export { type OpenDirectory, openDirectory } from './directory/directory.ts';
export { directoryFault } from './directory/directory-fault.ts';
export { openapi } from './http/openapi.ts';
export { createLog, type LogOptions, logEvents } from './log.ts';
export type {
  CallOptions,
  DiskPort,
  Member,
  MemberConfig,
  MemberLog,
  MemberPorts,
  MemberStatus,
  Peer,
  Service,
} from './member.ts';
export { metricTable } from './metric-table.ts';
export { startNode } from './node.ts';
export type { Node, NodeOptions } from './node-types.ts';
export { backupFaultsPage, configurationPage, logEventsPage, metricsPage, startErrorsPage } from './pages.ts';
export { soloTransport } from './peers/transport.ts';
export { StartError, type StartErrorCode, startErrors } from './start-error.ts';
