// application/problem+json (RFC 9457) both ways, and the one error class that users see.
import { z } from 'zod';
import { type ErrorCode, errorTable, isErrorCode } from './error-table.ts';

export const problem = z.looseObject({
  type: z.string().describe('urn:holdfast:error:<code>'),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  applied: z.enum(['no', 'unknown']).describe('Whether the request was applied: no, or unknown.'),
  detail: z.string().optional(),
  next: z.string().describe('What to do.'),
  fields: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
  retryAfterMs: z.int().optional(),
});
export type Problem = z.infer<typeof problem>;

/** What else an error knows. `detail` is a sentence for a person. */
export interface ErrorFacts {
  readonly detail?: string;
  readonly fields?: readonly { readonly path: string; readonly message: string }[];
  readonly retryAfterMs?: number;
  /** Where the leader's API is, when the node that refuses knows. */
  readonly leaderApi?: string;
}

/** An error with a stable code. `applied` says whether the request took effect: `no`, or `unknown`. */
export class HoldfastError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly applied: 'no' | 'unknown';
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, facts: ErrorFacts = {}, options?: ErrorOptions) {
    const row = errorTable[code];
    const fields = facts.fields?.map(({ path, message }) => `${path}: ${message}.`).join(' ');
    super([row.says, facts.detail ?? fields, row.next, `(${code})`].filter(Boolean).join(' '), options);
    this.name = 'HoldfastError';
    this.code = code;
    this.status = row.status;
    this.applied = row.applied;
    this.facts = facts;
  }
}

/** The outcome of a request is not known: it may have been applied. Its own type, so that no caller takes it for a failure. */
export class OutcomeUnknownError extends HoldfastError {
  constructor(facts: ErrorFacts = {}, options?: ErrorOptions) {
    super('HF_OUTCOME_UNKNOWN', facts, options);
    this.name = 'OutcomeUnknownError';
  }
}

export function toProblem(error: HoldfastError): Problem {
  const row = errorTable[error.code];
  return {
    type: `urn:holdfast:error:${error.code}`,
    title: row.says,
    status: row.status,
    code: error.code,
    applied: row.applied,
    next: row.next,
    ...(error.facts.detail === undefined ? {} : { detail: error.facts.detail }),
    ...(error.facts.fields === undefined ? {} : { fields: [...error.facts.fields] }),
    ...(error.facts.retryAfterMs === undefined ? {} : { retryAfterMs: error.facts.retryAfterMs }),
    ...(error.facts.leaderApi === undefined ? {} : { leaderApi: error.facts.leaderApi }),
  };
}

/** @returns undefined when the value is no problem of ours */
export function fromProblem(value: unknown): HoldfastError | undefined {
  const parsed = problem.safeParse(value);
  if (!parsed.success || !isErrorCode(parsed.data.code)) return undefined;
  const { code, detail, fields, retryAfterMs } = parsed.data;
  const leaderApi = parsed.data['leaderApi'];
  const facts: ErrorFacts = {
    ...(detail === undefined ? {} : { detail }),
    ...(fields === undefined ? {} : { fields }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(typeof leaderApi === 'string' ? { leaderApi } : {}),
  };
  return code === 'HF_OUTCOME_UNKNOWN' ? new OutcomeUnknownError(facts) : new HoldfastError(code, facts);
}
