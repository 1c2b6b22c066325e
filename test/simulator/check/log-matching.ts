// Log matching, on the disks themselves: the same index and term mean the same entry, and the same entries before it.
import { createHash } from 'node:crypto';
import type { Entry, NodeId } from '@holdfast/raft';

export interface DiskLog {
  readonly id: NodeId;
  /** In order, without a gap. */
  readonly entries: readonly Entry[];
}

export const logMatchingSays = 'logs that agree on one entry agree on everything before it';

/** @returns sentences for what differs though index and term are the same */
export function differences(logs: readonly DiskLog[]): readonly string[] {
  /** For each index and term, the hash over the entry and all before it, and who has it. */
  const seen = new Map<string, { readonly hash: string; readonly id: NodeId }>();
  const found: string[] = [];
  for (const { id, entries } of logs) {
    let hash = '';
    for (const entry of entries) {
      hash = createHash('sha1').update(hash).update(entry.bytes).digest('hex');
      const name = `index ${entry.index}, term ${entry.term}`;
      const known = seen.get(name);
      if (known === undefined) seen.set(name, { hash, id });
      else if (known.hash !== hash) {
        found.push(`${known.id} and ${id} differ at or before ${name}`);
        break;
      }
    }
  }
  return found;
}
