// Shapes of topics and groups.
import { z } from 'zod';
import { bounds, defaults } from './bounds.ts';
import { durationUpTo, instant } from './duration.ts';
import { bodyFields, name } from './message.ts';
import { wholeUpTo } from './whole-number.ts';

/** The first branch of the union speaks for all three. */
const namedStart = z.enum(['earliest', 'now'], {
  error: 'must be "earliest", "now", or whole milliseconds since 1970, or ISO 8601 with a time zone',
});

export const groupStart = z
  .union([namedStart, instant])
  .describe('earliest: everything that waits. now, or an instant in the past: what is due after it.');

export const groupSettings = z.strictObject({
  maxAttempts: wholeUpTo(bounds.attempts)
    .default(defaults.maxAttempts)
    .describe('After so many, a message becomes a dead letter.'),
  backoffFirst: durationUpTo(bounds.delayMs)
    .default(defaults.backoffFirstMs)
    .describe('Before the second attempt after a nack; doubles.'),
  backoffMax: durationUpTo(bounds.delayMs).default(defaults.backoffMaxMs),
});

export const putGroup = z.strictObject({ start: groupStart.default('earliest'), ...groupSettings.shape });

export const groupSeen = z.strictObject({
  name,
  state: z.enum(['active', 'deleting']),
  maxAttempts: z.int(),
  backoffFirstMs: z.int(),
  backoffMaxMs: z.int(),
  cursorMs: z.int().describe('Everything due before it was handed out, or was not there.'),
  outstanding: z.int().describe('Leased, waiting for a retry.'),
  acknowledged: z.int(),
  dead: z.int(),
});

export const topicSeen = z.strictObject({
  name,
  scheduled: z.int(),
  /** Messages that stand in the topic: not finished by every group. */
  stored: z.int(),
  cancelled: z.int(),
  stopped: z.int(),
  delivered: z.int().describe('Acknowledged by every group that was to get them.'),
  skipped: z.int().describe('Swept: every group of the topic started after them.'),
  groups: z.array(groupSeen),
});

export const deadLetters = z.strictObject({
  messages: z.array(
    z.strictObject({
      id: z.string(),
      deliverAtMs: z.int(),
      attempts: z.int(),
      reason: z.string(),
      ...bodyFields,
    }),
  ),
  cursor: z.string().optional(),
});
