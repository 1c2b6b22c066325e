// A leader that delivers nothing for too long makes room: ticks of raft that come late, or a first command of its scheduler
// that is never applied, would leave the cluster with a leader that looks healthy.
import type { Clock } from '@holdfast/raft';
import type { MemberLog } from '../member.ts';

export interface IdleLeaderPorts {
  /** Leadership ends soon, or it is somebody else's already. */
  stepDown(): void;
  /** How long a leader may be without a scheduler that serves, at first. */
  readonly patienceMs: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: MemberLog;
}

export interface IdleLeader {
  /** To be called every few ms while it leads this term. */
  look(term: number, isServing: boolean): void;
}

/** Each leadership that ends so gives the next one of this node twice the time, up to this many times as much. */
const maxPatience = 32;

export function createIdleLeader(ports: IdleLeaderPorts): IdleLeader {
  const { patienceMs, clock, log } = ports;
  let idle: { readonly term: number; sinceMs: number } | undefined;
  // Where all disks are slow nobody would ever serve, if each leader had to in the same short time.
  let patience = 1;
  return {
    look(term, isServing) {
      if (isServing) {
        idle = undefined;
        patience = 1;
        return;
      }
      const nowMs = clock.monotonicMs();
      if (idle?.term !== term) idle = { term, sinceMs: nowMs };
      const idleMs = nowMs - idle.sinceMs;
      if (idleMs < patience * patienceMs) return;
      log.warn({ event: 'scheduler.stepsDown', term, idleMs }, 'leads without delivering for too long; steps down');
      patience = Math.min(2 * patience, maxPatience);
      idle.sinceMs = nowMs;
      ports.stepDown();
    },
  };
}
