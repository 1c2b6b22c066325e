// Shapes of what goes out and comes back: receive, lease, receipt, ack, nack, extend.
import { z } from 'zod';
import { bounds, defaults } from './bounds.ts';
import { durationUpTo } from './duration.ts';
import { bodyFields, messageId } from './message.ts';
import { groupSettings, groupStart } from './topic.ts';
import { wholeUpTo } from './whole-number.ts';

const receipt = z
  .string()
  .regex(/^[A-Za-z0-9_-]{8,100}$/, 'is no receipt')
  .describe('The opaque handle of one lease.');
const receipts = z.array(receipt).min(1).max(bounds.receiptsPerRequest);
const lease = durationUpTo(bounds.leaseMs, bounds.leaseMinMs);

export const receiveRequest = z.strictObject({
  max: wholeUpTo(bounds.messagesPerReceive).default(1),
  lease: lease.default(defaults.leaseMs),
  wait: durationUpTo(bounds.waitMs).default(defaults.waitMs).describe('How long to wait when nothing is due.'),
  receiveId: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'must be 32 hex digits')
    .optional()
    .describe(
      '128 random bits. Repeat the request with the same id and `repeated`, at any node: the same leases again.',
    ),
  repeated: z.boolean().default(false),
  create: z
    .strictObject({ start: groupStart, ...groupSettings.shape })
    .optional()
    .describe('Create the group (and topic) when it is new.'),
});

export const received = z.strictObject({
  messages: z.array(
    z.strictObject({
      id: messageId,
      receipt,
      attempt: z.int(),
      token: z.int().describe('Fencing token: rises with every lease of the message.'),
      deliverAtMs: z.int(),
      leasedUntilMs: z.int(),
      ...bodyFields,
    }),
  ),
});

const answer = z.enum(['ok', 'receiptNotCurrent', 'notFound']);
export const ackRequest = z.strictObject({ receipts });
export const nackRequest = z.strictObject({
  receipts,
  delay: durationUpTo(bounds.delayMs).optional().describe("Without it, the group's back-off decides."),
  reason: z.string().max(bounds.reasonCharacters).optional(),
});
export const extendRequest = z.strictObject({ receipts, lease });
export const leaseAnswers = z.strictObject({ results: z.array(z.strictObject({ receipt, result: answer })) });
export const extendAnswers = z.strictObject({
  results: z.array(z.strictObject({ receipt, result: answer, leasedUntilMs: z.int().optional() })),
});
