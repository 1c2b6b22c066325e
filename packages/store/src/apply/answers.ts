// Idempotency keys: the same key with the same request gets the first answer, from any node, after any leader change.
import type { Idempotency } from '../command.ts';
import type { KeptAnswer } from '../rows/answer-row.ts';
import { answersStandSince } from '../version.ts';
import type { EntryRows } from './entry/entry-rows.ts';

/** What stands under a request's idempotency key. */
export type FirstAnswer =
  | { readonly kind: 'first'; readonly answer: KeptAnswer }
  /** The key was used for another request. */
  | { readonly kind: 'reused' }
  /** Or, before answers lasted, it ran out and was not collected yet. */
  | { readonly kind: 'none'; readonly ranOutMs: number | undefined };

/** @param topic undefined when it is new: then nothing stands under any key */
export function firstAnswer(
  rows: EntryRows,
  topic: number | undefined,
  idempotency: Idempotency | undefined,
): FirstAnswer {
  if (idempotency === undefined || topic === undefined) return { kind: 'none', ranOutMs: undefined };
  const kept = rows.answer(topic, idempotency.key);
  if (kept === undefined) return { kind: 'none', ranOutMs: undefined };
  const hasRunOut = rows.meta.activeVersion < answersStandSince && kept.untilMs <= rows.clockMs;
  if (hasRunOut) return { kind: 'none', ranOutMs: kept.untilMs };
  const same = Buffer.compare(kept.requestHash, idempotency.requestHash) === 0;
  return same ? { kind: 'first', answer: kept.answer } : { kind: 'reused' };
}

/** @param ranOutMs as firstAnswer said: the old answer's row in order of time would be left behind */
export function keepAnswer(
  rows: EntryRows,
  topic: number,
  idempotency: Idempotency | undefined,
  answer: KeptAnswer,
  ranOutMs: number | undefined,
): void {
  if (idempotency === undefined) return;
  const { key, requestHash, keepMs } = idempotency;
  if (ranOutMs !== undefined) rows.deleteAnswer(topic, key, ranOutMs);
  rows.putAnswer(topic, key, { requestHash, untilMs: rows.clockMs + keepMs, answer });
}
