// From here on all replicas write and send what version `version` brings. Its leader has made sure that every member
// knows it: a build that did not would have read another command, and gone another way.
import type { CommandOf } from '../command.ts';
import type { VerdictOf } from '../verdict.ts';
import { newestVersion } from '../version.ts';
import type { EntryRows } from './entry/entry-rows.ts';

/** Never lowered; a version that is in force already is answered like one that was raised. */
export function applyActivate(rows: EntryRows, { version }: CommandOf<'activate'>): VerdictOf<'activate'> {
  if (version > newestVersion) return { kind: 'refused', code: 'versionUnknown' };
  const activeVersion = Math.max(rows.meta.activeVersion, version);
  rows.changeMeta({ activeVersion });
  return { kind: 'activated', version: activeVersion };
}
