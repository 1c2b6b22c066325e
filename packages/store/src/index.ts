// @holdfast/store: what a timed message is, and what each command does to it.
export { commandBounds, defaultLimits, type StoreLimits } from './bounds.ts';
export type { Change, ChangeListener } from './change.ts';
export { decodeCommand } from './codec/decode.ts';
export { encodeCommand } from './codec/encode.ts';
export type {
  CollectStep,
  Command,
  CommandKind,
  CommandOf,
  DeliverAt,
  GroupConfig,
  GroupStart,
  Idempotency,
  LeaseCommand,
  LeaseRef,
  NewMessage,
  ReceiveRef,
} from './command.ts';
export { openStore, type StoreOptions } from './open-store.ts';
export { comparePositions, origin, type Position } from './position.ts';
export { CorruptRow } from './rows/row.ts';
export { decodeStamp, encodeStamp, maxTimeMs } from './stamp.ts';
export type { ScanOptions, Snapshot, StateIterator, StateReader } from './state-reader.ts';
export type { Effect, Store } from './store.ts';
export { BackupError, type BackupFault, type BackupHeader } from './transfer/backup-format.ts';
export { type Backup, readBackup } from './transfer/backup-read.ts';
export { writeBackup } from './transfer/backup-write.ts';
export { type RestoreTarget, restoreRows } from './transfer/restore.ts';
export type { StateExport, StateRow } from './transfer/row.ts';
export { type VerifiedState, verifyState } from './transfer/verify.ts';
export { type VerifiedBackup, verifyBackup } from './transfer/verify-backup.ts';
export type {
  CancelVerdict,
  End,
  Fate,
  GrantedLease,
  LeaseAnswer,
  Refusal,
  Verdict,
  VerdictOf,
  Verdicts,
} from './verdict.ts';
export { answersStandSince, newestVersion, StateTooNew } from './version.ts';
export type { GroupInfo, Hold, HoldState, MessageRow, RetryRow, TopicInfo, View } from './view.ts';
