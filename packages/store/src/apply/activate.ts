// From here on all replicas write and send what version `version` brings. Its leader has made sure that every member
// knows it: a build that did not would have read another command, and gone another way.
import type { CommandOf } from '../command.ts';
import type { VerdictOf } from '../verdict.ts';
import { newestVersion, StateTooNew } from '../version.ts';
import type { EntryRows } from './entry/entry-rows.ts';

/**
 * Never lowered; a version that is in force already is answered like one that was raised.
 *
 * @throws StateTooNew: a refusal would be the answer of this build alone, and its state another one than that of the others
 */
export function applyActivate(rows: EntryRows, { version }: CommandOf<'activate'>): VerdictOf<'activate'> {
  if (version > newestVersion) throw new StateTooNew(version);
  const activeVersion = Math.max(rows.meta.activeVersion, version);
  rows.changeMeta({ activeVersion });
  return { kind: 'activated', version: activeVersion };
}
