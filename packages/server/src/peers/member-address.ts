// Where a member is, as its entry in the log says it: opaque to raft, JSON for people and for versions to come.
import type { Address, NodeId } from '@holdfast/raft';
import { parseAddress } from '../config.ts';
import type { Peer } from '../member.ts';

export function addressTextOf({ peer, api }: Omit<Peer, 'id'>): string {
  return JSON.stringify({ peer, api });
}

/** Undefined for a member of whom no address is known. */
export function peerOf(id: NodeId, address: string): Peer | undefined {
  let value: unknown;
  try {
    value = JSON.parse(address);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { peer, api }: { readonly peer?: unknown; readonly api?: unknown } = value;
  return typeof peer === 'string' && typeof api === 'string' ? { id, peer, api } : undefined;
}

/** Where the transport finds it. */
export function reachOf(address: string): Address | undefined {
  const peer = peerOf('', address)?.peer;
  return peer === undefined ? undefined : parseAddress(peer);
}
