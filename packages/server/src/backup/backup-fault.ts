// Why a backup can not be used, in one table. docs/errors.md prints it.
import { BackupError, CorruptRow, type BackupFault as FaultInFile, StateTooNew } from '@holdfast/store';

export const backupFaults = {
  HF_BACKUP_FOREIGN: { says: 'The file is no backup.', next: 'Name a file that `holdfast backup` has written.' },
  HF_BACKUP_NEWER: {
    says: 'The backup was written by a newer version.',
    next: 'Use the `holdfast` command of that version, or of a later one.',
  },
  HF_BACKUP_CUT: {
    says: 'The backup ends before its end.',
    next: 'Copy it again, or take another one. Nothing was restored from it.',
  },
  HF_BACKUP_DAMAGED: {
    says: 'The backup is not what was written.',
    next: 'Copy it again, or take another one. Nothing was restored from it.',
  },
  HF_BACKUP_FILE: {
    says: 'The file of the backup can not be read or written.',
    next: 'Check the path, its owner, and that the disk has room.',
  },
  HF_BACKUP_EXISTS: {
    says: 'There is a file of that name already.',
    next: 'Name another one: no backup is written over.',
  },
} as const satisfies Readonly<Record<string, { readonly says: string; readonly next: string }>>;

export type BackupFaultCode = keyof typeof backupFaults;

/** The message is for a person: what is wrong, where, and what to do. */
export class BackupFault extends Error {
  override readonly name = 'BackupFault';
  readonly code: BackupFaultCode;

  constructor(code: BackupFaultCode, detail: string, options?: ErrorOptions) {
    const { says, next } = backupFaults[code];
    super(`${code}: ${says} ${detail} ${next}`, options);
    this.code = code;
  }
}

const codes: Readonly<Record<FaultInFile, BackupFaultCode>> = {
  foreignFile: 'HF_BACKUP_FOREIGN',
  newerFormat: 'HF_BACKUP_NEWER',
  truncated: 'HF_BACKUP_CUT',
  damaged: 'HF_BACKUP_DAMAGED',
};

/** What was thrown while `what` was read, with a code of ours. Anything else comes back as it is. */
export function backupFaultOf(what: string, error: unknown): unknown {
  const fault = (code: BackupFaultCode, detail: string) =>
    new BackupFault(code, `${what}: ${detail}.`, { cause: error });
  if (error instanceof BackupError) return fault(codes[error.code], error.message);
  if (error instanceof StateTooNew) return fault('HF_BACKUP_NEWER', error.message);
  if (error instanceof CorruptRow) return fault('HF_BACKUP_DAMAGED', error.message);
  const isOfFile = error instanceof Error && 'syscall' in error;
  return isOfFile ? fault('HF_BACKUP_FILE', error.message) : error;
}
