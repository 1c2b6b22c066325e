// The process stood still: a long collection of garbage, a loop that took too long, a machine that was suspended. The look
// that a member takes every heartbeat is late by as much. Raft notices by itself, and forgives; a person wants to know.
import type { Clock } from '@holdfast/raft';
import type { MemberLog } from '../member.ts';

export interface PausesPorts {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Standing still for so long is a pause: others may have elected a leader meanwhile. */
  readonly pauseMs: number;
  readonly log: MemberLog;
}

export interface Pauses {
  /** The next `woke` is asked for in `delayMs`. */
  sleeps(delayMs: number): void;
  /** @returns whether it is so late that it is a pause */
  woke(): boolean;
  readonly count: number;
  readonly longestMs: number;
}

export function createPauses({ clock, pauseMs, log }: PausesPorts): Pauses {
  let dueMs: number | undefined;
  let count = 0;
  let longestMs = 0;
  return {
    sleeps(delayMs) {
      dueMs = clock.monotonicMs() + delayMs;
    },
    woke() {
      const pausedMs = dueMs === undefined ? 0 : Math.round(clock.monotonicMs() - dueMs);
      longestMs = Math.max(longestMs, pausedMs);
      if (pausedMs < pauseMs) return false;
      count += 1;
      log.warn({ event: 'process.paused', pausedMs }, 'the process stood still');
      return true;
    },
    get count() {
      return count;
    },
    get longestMs() {
      return longestMs;
    },
  };
}
