// Walk 1/15: the shape of a message outside; bad input ends here, with the field's name. On to server/http/app.ts.
import { z } from 'zod';
import { bounds, defaults } from './bounds.ts';
import { durationUpTo, instant } from './duration.ts';
import { wholeTextUpTo } from './whole-number.ts';

export const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    'must begin with a letter or digit, and hold only letters, digits, ".", "_" and "-"',
  )
  .max(bounds.nameCharacters)
  .describe('A name: letters, digits, ".", "_", "-".');

export const messageId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{8,64}$/, 'is no message id')
  .describe('The opaque id that scheduling answered with.');

const textEncoder = new TextEncoder();
const headerName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be lower case: letters, digits, ".", "_", "-"');
const headerValue = z
  .string()
  .max(4_096)
  .regex(/^\P{Cc}*$/u, 'must not hold control characters');

const headers = z
  .record(headerName, headerValue)
  .refine(
    (value) => Object.keys(value).length <= bounds.headersPerMessage,
    `must be at most ${bounds.headersPerMessage}`,
  )
  .refine(
    (value) => headerBytesOf(value) <= bounds.headerBytes,
    `must be at most ${bounds.headerBytes} bytes together`,
  );

function headerBytesOf(value: Readonly<Record<string, string>>): number {
  let bytes = 0;
  for (const [key, text] of Object.entries(value)) bytes += key.length + textEncoder.encode(text).length + 4;
  return bytes;
}

/** A message to schedule, inside: times in ms, the body as bytes. */
export interface MessageToSchedule {
  readonly at:
    | { readonly kind: 'time'; readonly timeMs: number }
    | { readonly kind: 'delay'; readonly delayMs: number };
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export const jsonContentType = 'application/json';

/**
 * A message as a user writes it. Exactly one of `body` (any JSON value), `bodyBase64` and, in msgpack only, `bodyBytes`;
 * exactly one of `at` and `delay`.
 */
export const messageToSchedule = z
  .strictObject({
    at: instant.optional(),
    delay: durationUpTo(bounds.delayMs).optional(),
    headers: headers.optional(),
    body: z
      .unknown()
      .optional()
      .describe('Any JSON value; kept as JSON with the header content-type: application/json.'),
    bodyBase64: z.base64().optional(),
    bodyBytes: z
      .custom<Uint8Array>((value) => value instanceof Uint8Array)
      .optional()
      .describe('msgpack only: raw bytes.'),
  })
  .transform((input, ctx): MessageToSchedule => {
    const bodies = [input.body, input.bodyBase64, input.bodyBytes].filter((value) => value !== undefined).length;
    if (bodies !== 1)
      ctx.addIssue({ code: 'custom', path: ['body'], message: 'exactly one of body and bodyBase64 is needed' });
    if ((input.at === undefined) === (input.delay === undefined))
      ctx.addIssue({ code: 'custom', path: ['at'], message: 'exactly one of at and delay is needed' });
    const body = bodyOf(input);
    if (body === undefined) {
      ctx.addIssue({ code: 'custom', path: ['body'], message: 'is nested too deeply, or no JSON value' });
      return z.NEVER;
    }
    if (body.length > bounds.bodyBytes)
      ctx.addIssue({
        code: 'custom',
        path: ['body'],
        params: { tooLarge: true },
        message: `is ${body.length} bytes, at most ${bounds.bodyBytes} are allowed`,
      });
    const isJson = input.body !== undefined;
    return {
      at: input.at !== undefined ? { kind: 'time', timeMs: input.at } : { kind: 'delay', delayMs: input.delay ?? 0 },
      headers: isJson ? { 'content-type': jsonContentType, ...input.headers } : (input.headers ?? {}),
      body,
    };
  });

function bodyOf(input: {
  body?: unknown;
  bodyBase64?: string | undefined;
  bodyBytes?: Uint8Array | undefined;
}): Uint8Array | undefined {
  if (input.bodyBytes !== undefined) return input.bodyBytes;
  if (input.bodyBase64 !== undefined) return Buffer.from(input.bodyBase64, 'base64');
  try {
    return textEncoder.encode(JSON.stringify(input.body ?? null));
  } catch {
    // Reading JSON knows no depth, writing it runs out of stack; and a caller within the process may hand over anything.
    return undefined;
  }
}

/** A body on its way out: nodes and carriers within a process use `bodyBytes`; JSON over HTTP has one of the others. */
export const bodyFields = {
  headers: z.record(z.string(), z.string()),
  body: z.unknown().optional().describe('The JSON value, when the header content-type is application/json.'),
  bodyBase64: z.string().optional().describe('Otherwise.'),
  bodyBytes: z
    .custom<Uint8Array>((value) => value instanceof Uint8Array)
    .optional()
    .describe('msgpack only: raw bytes, instead of the two others.'),
};

export const idempotencyKey = z
  .string()
  .min(1)
  .max(bounds.idempotencyKeyBytes)
  .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces')
  .describe('Same key and same request: the first answer again, from any node.');

export const scheduled = z.strictObject({
  messages: z.array(
    z.strictObject({ id: messageId, deliverAtMs: z.int().describe('The instant that was kept, ms since the epoch.') }),
  ),
  repeated: z.boolean().describe('True when an idempotency key was met again and this is the first answer.'),
});

export const cancelVerdict = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('cancelled') }).describe('No group was handed it, and none will be.'),
  z
    .strictObject({ kind: z.literal('stopped'), attempts: z.int() })
    .describe('Some group was handed it before; it ended for all.'),
  z
    .strictObject({ kind: z.literal('leased'), leasedUntilMs: z.int() })
    .describe('A consumer has it now; nothing changed.'),
  z.strictObject({ kind: z.literal('delivered') }).describe('Every group has acknowledged it.'),
  z.strictObject({ kind: z.literal('skipped') }).describe('Every group of its topic started after it.'),
  z.strictObject({ kind: z.literal('notFound') }),
  z.strictObject({ kind: z.literal('forgotten') }).describe('It ended so long ago that how is no longer known.'),
]);

const groupState = z.strictObject({
  group: name,
  state: z.enum(['waiting', 'leased', 'retry', 'dead', 'done']),
  attempts: z.int(),
  leasedUntilMs: z.int().optional(),
  retryAtMs: z.int().optional(),
});

export const messageSeen = z.strictObject({
  id: messageId,
  state: z.enum(['waiting', 'outstanding', 'delivered', 'cancelled', 'stopped', 'skipped', 'forgotten']),
  deliverAtMs: z.int().optional(),
  groups: z.array(groupState),
  ...bodyFields,
  headers: bodyFields.headers.optional(),
});

export const messagesPage = z.strictObject({
  messages: z.array(z.strictObject({ id: messageId, deliverAtMs: z.int(), ...bodyFields })),
  cursor: z.string().optional().describe('Pass it on for the next page; absent on the last one.'),
});

/** In a query everything is text: digits are ms since the epoch. */
const queryInstant = z
  .union([z.number(), z.string().max(40)])
  .transform((value) => (typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value))
  .pipe(instant);

export const listQuery = z.strictObject({
  dueAfter: queryInstant.optional(),
  dueBefore: queryInstant.optional(),
  limit: wholeTextUpTo(bounds.messagesPerPage).default(defaults.pageMessages),
  cursor: z.string().max(200).optional(),
});
