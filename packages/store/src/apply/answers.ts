// Idempotency keys: the same key with the same request gets the first answer, from any node, after any leader change.
import type { Idempotency } from '../command.ts';
import type { KeptAnswer } from '../rows/answer-row.ts';
import type { Refusal } from '../verdict.ts';
import type { EntryRows } from './entry-rows.ts';

/** @returns the first answer, a refusal when the key stands for another request, undefined when the key is free */
export function firstAnswer(
  rows: EntryRows,
  topic: number,
  idempotency: Idempotency | undefined,
): KeptAnswer | Refusal | undefined {
  if (idempotency === undefined) return undefined;
  const kept = rows.answer(topic, idempotency.key);
  if (kept === undefined || kept.untilMs <= rows.clockMs) return undefined;
  return Buffer.compare(kept.requestHash, idempotency.requestHash) === 0 ? kept.answer : keyReused;
}

export const keyReused: Refusal = { kind: 'refused', code: 'idempotencyKeyReused' };

export function keepAnswer(
  rows: EntryRows,
  topic: number,
  idempotency: Idempotency | undefined,
  answer: KeptAnswer,
): void {
  if (idempotency === undefined) return;
  const { key, requestHash, keepMs } = idempotency;
  // One that ran out and was not collected yet: its row in order of time would be left behind.
  const old = rows.answer(topic, key);
  if (old !== undefined) rows.deleteAnswer(topic, key, old.untilMs);
  rows.putAnswer(topic, key, { requestHash, untilMs: rows.clockMs + keepMs, answer });
}
