// Every reason for which a member refuses to open or stops, in one table. docs/errors.md prints it.

interface Advice {
  readonly says: string;
  readonly next: string;
}

const moveAway =
  'The other members go on as long as a majority of them is there (two of three). Move this directory away and keep it, and replace the member by a new one with an empty directory (docs/members.md). Never put an older copy back, which may have forgotten a vote: only a node on its own may start from a copy.';

/** By code: what was found, and what whoever operates the member is to do. */
export const raftErrors = {
  HF_LOG_CORRUPT: { says: 'A row of the log is damaged.', next: moveAway },
  HF_LOG_GAP: { says: 'A part of the log is missing.', next: moveAway },
  HF_LOG_CUT: {
    says: 'The end of this log is missing: this member had acknowledged more to the leader than its disk holds now.',
    next: moveAway,
  },
  HF_LOG_FORMAT: {
    says: 'The directory was written by another version.',
    next: 'Start the version that wrote it, or a newer one.',
  },
  HF_BUILD_TOO_OLD: {
    says: 'The cluster uses a version that this build does not know. Nothing is wrong with the directory.',
    next: 'Start a build on it that is at least as new as those of the other members (docs/upgrading.md).',
  },
  HF_WRONG_MEMBER: {
    says: 'The directory belongs to another member.',
    next: 'A directory is one member for life: start it under its own name, or give this member its own directory.',
  },
  HF_WRONG_CLUSTER: {
    says: 'The directory belongs to another cluster.',
    next: 'Compare the list of members and the directories of all members; never mix directories of two clusters.',
  },
  HF_WIPED_MEMBER: {
    says: 'This member was founded with another directory, which is gone: an empty one may have forgotten a vote.',
    next: 'Two of three go on without it. Put the old directory back, or replace the member by a new one (docs/members.md).',
  },
  HF_REMOVED_MEMBER: {
    says: 'This member was removed from its cluster, and the others do not listen to it any more.',
    next: 'Stop it for good, and move its directory away. To use the machine again, start it with an empty directory and have it taken in (docs/members.md).',
  },
  HF_WRITE_FAILED: {
    says: 'A write to the log failed, and nothing is known about what is on the disk.',
    next: 'Look at the disk, then start the process again: opening checks what was kept.',
  },
  HF_DISK_FULL: {
    says: 'The disk is full.',
    next: 'Make room, then start the process again: opening checks what was kept.',
  },
  HF_APPLY_FAILED: {
    says: 'The state machine threw while it applied a committed entry; nothing of that entry was written.',
    next: 'Keep the directory and report it: the same entry will fail again after a start.',
  },
  HF_RAFT_FAULT: {
    says: 'An assertion of the consensus code failed, so this member stopped before it could do harm.',
    next: 'Keep the directory and report it.',
  },
  HF_PEER_PORT: {
    says: 'The address for the other members can not be listened on.',
    next: 'Look for a second process on the same port, or correct the address.',
  },
  HF_PEER_SECURITY: {
    says: 'The secret or the certificate of the peer port can not be used.',
    next: 'docs/security.md says how to make one.',
  },
} as const satisfies Readonly<Record<string, Advice>>;

/** Stable: a code keeps its meaning, and is never used for another. */
export type RaftErrorCode = keyof typeof raftErrors;

/** What was found: indexes, names, paths. Numbers and strings only, so that it can be logged as fields. */
export type Facts = Readonly<Record<string, string | number | undefined>>;

/** A stop with a stable code. The message is one sentence for a person: what, where, and what to do. */
export class RaftError extends Error {
  readonly code: RaftErrorCode;
  readonly facts: Facts;

  constructor(code: RaftErrorCode, detail: string, facts: Facts = {}, options?: ErrorOptions) {
    const sentence = /[.!?]$/.test(detail) ? detail : `${detail}.`;
    super(`${code}: ${raftErrors[code].says} ${sentence} ${raftErrors[code].next}`, options);
    this.name = 'RaftError';
    this.code = code;
    this.facts = facts;
  }
}

export function isRaftErrorCode(code: unknown): code is RaftErrorCode {
  return typeof code === 'string' && Object.hasOwn(raftErrors, code);
}

/** What went wrong, as text, whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : JSON.stringify(error);
}
