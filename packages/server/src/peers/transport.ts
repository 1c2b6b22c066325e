// How a node reaches the others: raft's TCP transport, or nothing at all for a node on its own, which needs no port.
import { createTcpTransport, type Transport } from '@holdfast/raft';
import type { NodeConfig } from '../config.ts';
import { parseAddress } from '../config.ts';
import type { MemberPorts, Peer } from '../member.ts';
import { PeerFaults } from './faults.ts';
import { peerSecurity } from './security.ts';

export interface PeerTransport {
  readonly transport: Transport;
  /** What was dropped, refused or lost on the way, by reason. */
  counts(): ReadonlyMap<string, number>;
}

/** For a member on its own, embedded or not: there is nobody to reach. */
export const soloTransport: Transport = {
  start: () => Promise.resolve(),
  send: () => undefined,
  sendControl: () => undefined,
  sendBulk: () => undefined,
  setPeers: () => undefined,
  close: () => Promise.resolve(),
};

/**
 * @throws StartError HF_CONFIG: a file can not be read
 * @throws RaftError HF_PEER_SECURITY: what is in it can not be used
 */
export function peerTransport(
  config: NodeConfig,
  { clock, random, log }: Pick<MemberPorts, 'clock' | 'random' | 'log'>,
): PeerTransport {
  const others = config.peers.filter(({ id }) => id !== config.id);
  if (others.length === 0) return { transport: soloTransport, counts: () => new Map() };
  const peers = new Map(others.map((peer) => [peer.id, addressOf(peer)]));
  const faults = new PeerFaults(clock, log);
  const transport = createTcpTransport({
    id: config.id,
    listen: config.peerListen,
    peers,
    clock,
    random,
    security: peerSecurity(config),
    onFault: (fault) => faults.noticed(fault),
  });
  return { transport, counts: () => transport.counts };
}

function addressOf({ id, peer }: Peer) {
  const address = parseAddress(peer);
  if (address === undefined)
    throw new RangeError(`${id} has the peer address "${peer}", which the settings should have refused`);
  return address;
}
