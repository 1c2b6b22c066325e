// How long a message rests before it is tried again.
import type { GroupConfig } from '@holdfast/store';

/**
 * Exponential with equal jitter: half of the step is certain, so that a failing consumer is never hit at once, and half
 * is drawn, so that what failed together does not come back together.
 *
 * @param attempt that failed, from 1 @param random in [0, 1) @returns whole ms, at most `backoffMaxMs`
 */
export function backoffMs(config: GroupConfig, attempt: number, random: number): number {
  const stepMs = Math.min(config.backoffMaxMs, config.backoffFirstMs * 2 ** Math.min(Math.max(attempt, 1) - 1, 40));
  return Math.floor(stepMs / 2 + (random * stepMs) / 2);
}

/** A lease that ran out the first time is tried again at once: the consumer is gone, not the message bad. */
export function backoffAfterRunOutMs(config: GroupConfig, attempt: number, random: number): number {
  return attempt <= 1 ? 0 : backoffMs(config, attempt - 1, random);
}
