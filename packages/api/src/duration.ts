// The only parser of time that a user writes.
import { z } from 'zod';
import { bounds } from './bounds.ts';

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const durationForm = /^(?:\d{1,12}(?:ms|s|m|h|d|w))+$/;

/** '1h30m', '15m', '250ms' -> ms; undefined when it is no duration. Units: w d h m s ms. */
export function parseDurationMs(text: string): number | undefined {
  if (!durationForm.test(text)) return undefined;
  let totalMs = 0;
  for (const [, count = '', unit = ''] of text.matchAll(/(\d+)(ms|s|m|h|d|w)/g))
    totalMs += Number(count) * (unitMs[unit] ?? Number.NaN);
  return Number.isSafeInteger(totalMs) ? totalMs : undefined;
}

/** Whole ms, or text such as '15m'; at most `maxMs`. Parses to ms. */
export function durationUpTo(maxMs: number, minMs = 0) {
  return z
    .union([z.number(), z.string().max(64)])
    .describe(`Whole milliseconds, or text such as "15m" or "1h30m"; from ${minMs} to ${maxMs} ms.`)
    .transform((value, ctx) => {
      const ms = typeof value === 'number' ? value : parseDurationMs(value);
      if (ms === undefined || !Number.isSafeInteger(ms) || ms < minMs || ms > maxMs) {
        ctx.addIssue({
          code: 'custom',
          message: `must be whole milliseconds or text such as "15m", from ${minMs} to ${maxMs} ms`,
        });
        return z.NEVER;
      }
      return ms;
    });
}

const instantForm = z.iso.datetime({ offset: true });

/** Ms since the epoch, or ISO 8601 with a zone. Parses to ms since the epoch; the past is allowed. */
export const instant = z
  .union([z.number(), z.string().max(40)])
  .describe('Milliseconds since the epoch, or ISO 8601 with a time zone ("2030-01-01T09:00:00Z").')
  .transform((value, ctx) => {
    const ms =
      typeof value === 'number' ? value : instantForm.safeParse(value).success ? Date.parse(value) : Number.NaN;
    if (!Number.isSafeInteger(ms) || ms < 0 || ms > bounds.deliverAtMs) {
      ctx.addIssue({
        code: 'custom',
        message: 'must be whole milliseconds since 1970, or ISO 8601 with a time zone, up to the year 9999',
      });
      return z.NEVER;
    }
    return ms;
  });
