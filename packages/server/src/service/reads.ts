// Reads on any node. Before its own state is read, the node makes sure that it has everything that was acknowledged
// anywhere (ReadIndex, thesis 6.4): no log entry, one round of heartbeats for all reads that wait.
import type { Placement } from './placement.ts';

export interface ReadsPorts {
  readonly placement: Pick<Placement, 'find'>;
  /** Do all members know ReadIndex? Until then only a leader that serves can answer. */
  readonly byAny: () => boolean;
  /** False when the leader was lost, hands over or did not answer in time. */
  readonly readIndex: () => Promise<boolean>;
}

export type ReadPlace =
  /** The own state may be read now. */
  | 'here'
  /** A leader must be asked, as for a write. */
  | 'leader'
  /** There is no leader, for as long as a request waits for one. */
  | 'nowhere';

/** A leader that is lost between the two questions is looked for again, but not for ever. */
const attempts = 3;

export async function placeRead(
  ports: ReadsPorts,
  options: { readonly stale: boolean; readonly signal: AbortSignal },
): Promise<ReadPlace> {
  if (options.stale) return 'here';
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (!ports.byAny()) return 'leader';
    // Also what another node has passed on is read here: the question goes to the leader, and not the request.
    if ((await ports.placement.find(true, options.signal)) === undefined) return 'nowhere';
    if (await ports.readIndex()) return 'here';
  }
  return 'nowhere';
}
