// What an operator does with `holdfast cluster replace`, done by the member itself, a step at a time: the directory that is
// gone is removed by a committed change, and only then the new one is taken in. So at no time could anybody count a vote of
// a directory that has forgotten what it promised.
import { type AnswerOf, HoldfastError, type RequestOf, routes } from '@holdfast/api';
import type { Clock } from '@holdfast/raft';
import type { MemberLog } from '../member.ts';
import { standingOf } from './standing.ts';

export const rejoinBounds = {
  /** The cluster is asked so often, and then no more. */
  attempts: 60,
  /** Between the first two; twice as long each time ... */
  firstMs: 1_000,
  /** ... up to this. */
  lastMs: 30_000,
} as const;

type Own = RequestOf<'addMember'>['body'];

export interface ReplacementPorts {
  readonly id: string;
  readonly members: () => Promise<AnswerOf<'members'>>;
  readonly remove: (lost: string) => Promise<AnswerOf<'removeMember'>>;
  readonly add: (own: Own) => Promise<AnswerOf<'addMember'>>;
  readonly clock: Pick<Clock, 'after'>;
  readonly random: () => number;
  readonly log: MemberLog;
}

/**
 * Waits until the cluster would do without this member's directory; nothing is changed yet.
 *
 * @returns whether it would; false: it knows no such member, or it did not come to that
 */
export async function mayBeReplaced(ports: ReplacementPorts, signal: AbortSignal): Promise<boolean> {
  let may = false;
  await attempts(ports, signal, async () => {
    const standing = standingOf(await ports.members(), ports.id, undefined);
    may = standing.kind === 'lost';
    return standing.kind === 'wait' ? standing.why : 'done';
  });
  return may;
}

/**
 * @param own this node, which waits to be taken in
 * @param mayAdd it is taken in also where no member of its name is there: this was a member, whose removal was begun
 * @returns whether it is a member now
 */
export async function replace(
  ports: ReplacementPorts,
  own: Own,
  mayAdd: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const { id, log } = ports;
  let hasRemoved = mayAdd;
  return await attempts(ports, signal, async () => {
    const standing = standingOf(await ports.members(), id, own.incarnation);
    switch (standing.kind) {
      case 'listed':
        log.info({ event: 'rejoin.done', incarnation: own.incarnation }, 'is a member again, as a new one');
        return 'done';
      case 'wait':
        return standing.why;
      case 'lost':
        // Looked at before the removal: if the new directory were refused after it, the cluster would be one member short.
        if (!routes.addMember.body.safeParse(own).success)
          return `its addresses are none that a cluster takes in: ${own.peer}, ${own.api}`;
        log.warn(
          { event: 'rejoin.removes', lost: standing.incarnation },
          'has its lost directory removed from the cluster',
        );
        try {
          await ports.remove(standing.incarnation);
          hasRemoved = true;
        } catch (error) {
          // It may have been done: then nobody of this name is left, and who else would take it in?
          hasRemoved ||= error instanceof HoldfastError && error.applied === 'unknown';
          throw error;
        }
        return 'again';
      case 'absent':
        if (!hasRemoved) return 'no member has this name: an operator must take it in';
        await ports.add(own);
        return 'again';
      default:
        return standing satisfies never;
    }
  });
}

/** @returns whether it came to `done` within the bounds. Another text says what is waited for. */
async function attempts(ports: ReplacementPorts, signal: AbortSignal, step: () => Promise<string>): Promise<boolean> {
  const { log } = ports;
  let said = '';
  let waits = 0;
  for (let attempt = 1; attempt <= rejoinBounds.attempts && !signal.aborted; attempt += 1) {
    const outcome = await step().catch(refusalOf);
    if (outcome === 'done') return true;
    if (outcome === 'again') continue;
    said = outcome;
    log.info({ event: 'rejoin.waits', why: said, attempt }, 'waits to be replaced');
    const waitMs = Math.min(rejoinBounds.lastMs, rejoinBounds.firstMs * 2 ** waits);
    waits += 1;
    await pause(ports, waitMs * (0.5 + ports.random() / 2), signal);
  }
  if (!signal.aborted) {
    log.error({ event: 'rejoin.gaveUp', attempts: rejoinBounds.attempts, why: said }, 'asks for a replacement no more');
  }
  return false;
}

/** A refusal is tried again; anything else is a fault. */
function refusalOf(error: unknown): string {
  if (error instanceof HoldfastError) return error.message;
  throw error;
}

async function pause({ clock }: ReplacementPorts, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const cancel = clock.after(ms, end);
    signal.addEventListener('abort', end, { once: true });
    function end(): void {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    }
  });
}
