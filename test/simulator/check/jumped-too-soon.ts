// What nobody promises: answers that outlast a jump of cluster time before every member knows of that (docs/promises.md). A
// cluster whose members were not all heard yet is at version 1, where a repeat may be a second write; and of one that is
// stored twice most other rules are broken, too.
import { defaults } from '@holdfast/api';
import { answersStandSince } from '@holdfast/store';
import type { LoggedEntry } from './evidence.ts';

/** Did the clock jump by more than answers are kept, from a time that was one, while they did not stand yet? */
export function jumpedTooSoon(log: readonly LoggedEntry[]): boolean {
  let beforeMs = Number.POSITIVE_INFINITY;
  for (const { clockMs, commands } of log) {
    if (clockMs - beforeMs >= defaults.idempotencyKeepMs) return true;
    if (clockMs > 0) beforeMs = clockMs;
    const isRaised = commands.some(
      ({ verdict }) => verdict.kind === 'activated' && verdict.version >= answersStandSince,
    );
    if (isRaised) return false;
  }
  return false;
}
