// What every part of the user's surface is given: how requests travel, and where time and chance come from.
import { HoldfastError, parseDurationMs } from '@holdfast/api';
import type { ClientClock } from './clock.ts';
import { checkedGiveUpAfterMs } from './repeat/give-up.ts';
import type { RetryingCarrier } from './retrying-carrier.ts';

export interface ClientParts {
  readonly carrier: RetryingCarrier;
  readonly clock: ClientClock;
  readonly randomBytes: (count: number) => Uint8Array;
  /**
   * A receive that waits asks again so often. A node that is frozen or cut off says nothing, and a consumer that waited
   * for half a minute on it would get late what another node could deliver at once. At most `bounds.waitMs`.
   */
  readonly sliceMs: number;
}

export interface CallOptions {
  /** Ends the call at once with the signal's reason; a write may have been applied by then. */
  readonly signal?: AbortSignal;
}

export interface ReadOptions extends CallOptions {
  /**
   * Answer at once from what the node that is asked has, perhaps without what was acknowledged a moment ago. Otherwise an
   * answer has everything that was acknowledged before the call, whichever node gives it.
   */
  readonly stale?: boolean;
}

/** Whole ms, or text such as '15m' or '1h30m'; units are w, d, h, m, s, ms. */
export type Duration = number | string;

/** @throws HoldfastError HF_INVALID_REQUEST that names the field */
export function durationMs(duration: Duration, field: string): number {
  const ms = typeof duration === 'number' ? duration : parseDurationMs(duration);
  if (ms !== undefined && Number.isSafeInteger(ms) && ms >= 0) return ms;
  const message = 'must be whole milliseconds or text such as "15m"';
  throw new HoldfastError('HF_INVALID_REQUEST', {
    fields: [{ path: field, message }],
    detail: `${field}: ${message}.`,
  });
}

/** @throws RangeError when it is 0, or so long that a write could be done twice; HoldfastError when it is no duration */
export function giveUpAfterMsOf(giveUpAfter?: Duration): number {
  return checkedGiveUpAfterMs(giveUpAfter === undefined ? undefined : durationMs(giveUpAfter, 'giveUpAfter'));
}

/** `{ signal }` when there is one: an option that is absent and one that is undefined are not the same type. */
export function signalOf(options: { readonly signal?: AbortSignal | undefined }): { readonly signal?: AbortSignal } {
  return options.signal === undefined ? {} : { signal: options.signal };
}

/** What a read says in its query. */
export function readQuery(options: { readonly stale?: boolean | undefined }): { readonly stale?: true } {
  return options.stale === true ? { stale: true } : {};
}
