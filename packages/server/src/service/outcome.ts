// Every way in which a proposal can end, as an answer to a user. The difference between "not applied" and "unknown" is
// the promise that this table keeps.
import { type ErrorCode, HoldfastError, OutcomeUnknownError } from '@holdfast/api';
import type { Command, CommandKind, CommandOf, Refusal, VerdictOf } from '@holdfast/store';
import type { NotApplied, Replica } from '../replica.ts';

export type Accepted<K extends CommandKind> = Exclude<VerdictOf<K>, Refusal>;

const overloadedRetryAfterMs = 100;

const refusals: Readonly<Record<Refusal['code'], ErrorCode>> = {
  topicNotFound: 'HF_TOPIC_NOT_FOUND',
  groupNotFound: 'HF_GROUP_NOT_FOUND',
  topicLimit: 'HF_TOPIC_LIMIT',
  groupLimit: 'HF_GROUP_LIMIT',
  idempotencyKeyReused: 'HF_IDEMPOTENCY_KEY_REUSED',
  // The edge refuses what would lead to these, so a user who meets one has found a fault of ours.
  undecodable: 'HF_INTERNAL',
  tooManyRows: 'HF_INTERNAL',
  cursorMoved: 'HF_INTERNAL',
  graceRunning: 'HF_INTERNAL',
};

const notApplied: Readonly<Record<NotApplied, ErrorCode>> = {
  notLeader: 'HF_NO_LEADER',
  overwritten: 'HF_NO_LEADER',
  overloaded: 'HF_OVERLOADED',
  stopping: 'HF_STOPPING',
  tooLarge: 'HF_BODY_TOO_LARGE',
};

/**
 * Proposes, and waits for the verdict.
 *
 * @throws HoldfastError for a refusal and for what was not applied; OutcomeUnknownError when leadership was lost between
 */
export async function proposed<K extends CommandKind>(
  replica: Pick<Replica, 'propose'>,
  command: CommandOf<K> & Command,
): Promise<Accepted<K>> {
  const outcome = await replica.propose<K>(command);
  switch (outcome.kind) {
    case 'applied':
      if (isAccepted<K>(outcome.verdict)) return outcome.verdict;
      throw refused(outcome.verdict);
    case 'notApplied':
      throw new HoldfastError(
        notApplied[outcome.reason],
        outcome.reason === 'overloaded' ? { retryAfterMs: overloadedRetryAfterMs } : {},
      );
    case 'unknown':
      throw new OutcomeUnknownError();
    default:
      return outcome satisfies never;
  }
}

function isAccepted<K extends CommandKind>(verdict: VerdictOf<K>): verdict is Accepted<K> {
  return verdict.kind !== 'refused';
}

function refused(verdict: { readonly kind: string; readonly code?: Refusal['code'] }): HoldfastError {
  if (verdict.code === undefined)
    return new HoldfastError('HF_INTERNAL', { detail: `Unexpected verdict ${verdict.kind}.` });
  const code = refusals[verdict.code];
  return new HoldfastError(code, code === 'HF_INTERNAL' ? { detail: `The command was refused: ${verdict.code}.` } : {});
}
