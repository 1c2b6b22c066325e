// The free bytes of the own data directory, looked at now and then. Below the low-water mark the disk is low, and stays so
// until there is a margin more: a disk that hovers at the mark must not refuse and accept in turns.
import type { Clock } from '@holdfast/raft';
import type { DiskSeen, MemberLog } from '../member.ts';

export interface DiskSpacePorts {
  readonly id: string;
  freeBytes(): Promise<number>;
  readonly minFreeBytes: number;
  readonly freeMarginBytes: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: MemberLog;
}

export interface DiskSpace {
  /** As of the last look; undefined before the first one ends, and while the file system does not say. */
  readonly seen: DiskSeen | undefined;
  /** Looks when it is time; one look at a time. */
  maybeLook(): void;
}

/** A disk of 250 MB/s can be filled from the default mark to its last byte in this time. */
export const diskLookMs = 1_000;

export function createDiskSpace(ports: DiskSpacePorts): DiskSpace {
  const { id: node, minFreeBytes, freeMarginBytes, clock, log } = ports;
  let seen: DiskSeen | undefined;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let isLooking = false;
  let isUnreadable = false;

  const found = (freeBytes: number): void => {
    isUnreadable = false;
    const wasLow = seen?.low ?? false;
    const low = freeBytes < (wasLow ? minFreeBytes + freeMarginBytes : minFreeBytes);
    seen = { freeBytes, low };
    if (low === wasLow) return;
    const facts = { node, freeBytes, minFreeBytes, freeMarginBytes };
    if (low) log.warn({ event: 'disk.low', ...facts }, 'the disk has less room than it should');
    else log.info({ event: 'disk.room', ...facts }, 'the disk has room again');
  };
  const look = async (): Promise<void> => {
    try {
      found(await ports.freeBytes());
    } catch (error) {
      if (!isUnreadable)
        log.warn({ event: 'disk.unknown', node, error }, 'the file system does not say its free bytes');
      isUnreadable = true;
      seen = undefined;
    } finally {
      isLooking = false;
    }
  };

  return {
    get seen() {
      return seen;
    },
    maybeLook() {
      const nowMs = clock.monotonicMs();
      if (isLooking || nowMs - lookedAtMs < diskLookMs) return;
      isLooking = true;
      lookedAtMs = nowMs;
      void look();
    },
  };
}
