// Every reason of its own for which a node does not start, or stops because its directory is no longer what it was; raft's
// reasons stand in raft's table. docs/errors.md prints both.

export const startErrors = {
  HF_CONFIG: {
    says: 'A setting is unknown or impossible.',
    next: 'Correct it; docs/configuration.md lists every setting.',
  },
  HF_API_PORT: {
    says: 'The address of the API can not be listened on.',
    next: 'Look for a second process on the same port, or correct --listen.',
  },
  HF_DIRECTORY_LOCKED: {
    says: 'Another process has the data directory open.',
    next: 'End that process first, or give this node a directory of its own: two nodes never share one.',
  },
  HF_DIRECTORY_UNREADABLE: {
    says: 'The data directory can not be read and written.',
    next: 'Check the path, the owner of the directory and that its disk is mounted and not full.',
  },
  HF_DIRECTORY_FOREIGN: {
    says: 'The data directory holds files, and was not made by a node.',
    next: 'Give the node an empty directory, or one that does not exist yet.',
  },
  HF_DIRECTORY_NOT_EMPTY: {
    says: 'A backup can be restored to an empty directory only.',
    next: 'Name a directory that is empty, or does not exist yet.',
  },
  HF_DIRECTORY_RESTORING: {
    says: 'A backup was being restored to the data directory, and that did not come to its end.',
    next: 'Restore it again (`holdfast restore`, docs/backup.md), or remove the directory: nothing in it was ever in use.',
  },
  HF_DIRECTORY_FORMAT: {
    says: 'The data directory was made by another version.',
    next: 'Start the version that made it, or a newer one.',
  },
  HF_DIRECTORY_DAMAGED: {
    says: 'The data directory was in use before, and its database is missing or damaged.',
    next: 'Do not empty it: a node that forgot a vote is a danger. The others go on as long as a majority of them is there (two of three). Move the directory away and keep it, and replace the member by a new one with an empty directory (docs/members.md). Never put an older copy back, which may have forgotten a vote: only a node on its own may start from a copy, or from a backup (docs/backup.md).',
  },
} as const satisfies Readonly<Record<string, { readonly says: string; readonly next: string }>>;

export type StartErrorCode = keyof typeof startErrors;

/** The node does not start, or stops. The message is for a person: what is wrong, where, and what to do. */
export class StartError extends Error {
  readonly code: StartErrorCode;

  constructor(code: StartErrorCode, detail: string, options?: ErrorOptions) {
    const { says, next } = startErrors[code];
    super(`${code}: ${says} ${detail} ${next}`, options);
    this.name = 'StartError';
    this.code = code;
  }
}
