// Where a request is served: here, at the leader that is known, or, for a bounded time, nowhere yet. One timer asks for
// all that wait, and only while somebody waits.
import type { Clock } from '@holdfast/raft';
import type { Peer } from '../member.ts';

export type Place = { readonly kind: 'here' } | { readonly kind: 'there'; readonly peer: Peer };

export interface PlacementPorts {
  /** Where requests are served at this moment; undefined while no leader is known, or it is in doubt. */
  now(): Place | undefined;
  readonly clock: Clock;
  readonly pollMs: number;
  /** How long a request waits for a leader. */
  readonly waitMs: number;
}

export interface Placement {
  /** @param mayForward false for what came from another node: then the place is here, or none. */
  find(mayForward: boolean, signal: AbortSignal): Promise<Place | undefined>;
  /** Calls `onLost` once, when the leader is no longer known to be there. @returns how to stop watching */
  watch(peer: Peer, onLost: () => void): () => void;
  /** Something changed: whoever waits is asked at once. */
  changed(): void;
  /** Ends every wait, without a place. */
  stop(): void;
}

/** @returns true when it is done and need not be asked again */
type Waiting = (place: Place | undefined) => boolean;

export function createPlacement(ports: PlacementPorts): Placement {
  const waiting = new Set<Waiting>();
  let disarm: (() => void) | undefined;
  let stopped = false;

  const ask = (): void => {
    const place = stopped ? undefined : ports.now();
    for (const isDone of waiting) if (isDone(place)) waiting.delete(isDone);
  };
  const arm = (): void => {
    if (disarm !== undefined || waiting.size === 0 || stopped) return;
    disarm = ports.clock.after(ports.pollMs, () => {
      disarm = undefined;
      ask();
      arm();
    });
  };

  return {
    find(mayForward, signal) {
      const accepted = (place: Place | undefined): place is Place =>
        place !== undefined && (place.kind === 'here' || mayForward);
      const place = ports.now();
      if (stopped) return Promise.resolve(undefined);
      // Another leader is known: this node will not serve it, and it must not travel further.
      if (accepted(place) || (place !== undefined && !mayForward))
        return Promise.resolve(accepted(place) ? place : undefined);
      const untilMs = ports.clock.monotonicMs() + ports.waitMs;
      return new Promise((resolve) => {
        waiting.add((now) => {
          const isOver = stopped || signal.aborted || ports.clock.monotonicMs() >= untilMs;
          if (!accepted(now) && !isOver) return false;
          resolve(accepted(now) && !stopped ? now : undefined);
          return true;
        });
        arm();
      });
    },
    watch(peer, onLost) {
      const isDone: Waiting = (place) => {
        if (!stopped && place?.kind === 'there' && place.peer.id === peer.id) return false;
        onLost();
        return true;
      };
      waiting.add(isDone);
      arm();
      return () => waiting.delete(isDone);
    },
    changed: ask,
    stop() {
      stopped = true;
      disarm?.();
      ask();
    },
  };
}
