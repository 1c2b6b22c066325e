// Counts that a user writes: a refusal names both bounds in one sentence.
import { z } from 'zod';

const sentence = (max: number): string => `must be a whole number from 1 to ${max}`;

export function wholeUpTo(max: number) {
  const error = sentence(max);
  return z.int({ error }).min(1, { error }).max(max, { error });
}

/** The same in a query, where everything is text. */
export function wholeTextUpTo(max: number) {
  const error = sentence(max);
  return z.coerce.number({ error }).int({ error }).min(1, { error }).max(max, { error });
}
