import type { History, Tag } from '../../work/history.ts';

/** Of a cancel that was refused, or that found no message, nobody can say that it ended one. */
const perhapsEnding: ReadonlySet<string> = new Set(['cancelled', 'stopped', 'unknown', 'aborted', 'pending']);

/** Messages that a cancel has ended, or may have: they need not come. */
export const perhapsEnded = ({ cancelled }: Pick<History, 'cancelled'>): ReadonlySet<Tag> =>
  new Set(cancelled.filter(({ verdict }) => perhapsEnding.has(verdict)).map(({ tag }) => tag));
