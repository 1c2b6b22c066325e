// The first command of a leadership's scheduler, and the one that only moves the clock.
import type { CommandOf } from '../command.ts';
import type { VerdictOf } from '../verdict.ts';
import type { EntryRows } from './entry/entry-rows.ts';

/** Releases of this term wait until a grace has passed, in cluster time [H3, H8]. */
export function applyBegin(rows: EntryRows, command: CommandOf<'begin'>): VerdictOf<'begin'> {
  const term = rows.entryTerm;
  const releaseFromMs = rows.clockMs + command.graceMs;
  rows.changeMeta({ beginTerm: term, releaseFromMs, graceMs: command.graceMs });
  rows.changes.push({ kind: 'begun', term, releaseFromMs });
  return { kind: 'begun', releaseFromMs };
}

/** Its entry's stamp has moved the clock already. */
export function applyTick(): VerdictOf<'tick'> {
  return { kind: 'ticked' };
}
