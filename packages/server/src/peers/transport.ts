// How a node reaches the others: raft's TCP transport, which opens no port before there is somebody to reach.
import { createTcpTransport, type Transport } from '@holdfast/raft';
import type { NodeConfig } from '../config.ts';
import type { MemberPorts } from '../member.ts';
import { PeerFaults } from './faults.ts';
import { peerSecurity } from './security.ts';

export interface PeerTransport {
  readonly transport: Transport;
  /** What was dropped, refused or lost on the way, by reason. */
  counts(): ReadonlyMap<string, number>;
}

/** For a member that stays on its own, embedded in a program: there is nobody to reach. */
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
  const faults = new PeerFaults(clock, log);
  const transport = createTcpTransport({
    id: config.id,
    listen: config.peerListen,
    // Raft says who they are, and a node on its own has none.
    peers: new Map(),
    clock,
    random,
    security: peerSecurity(config),
    onFault: (fault) => faults.noticed(fault),
  });
  return { transport, counts: () => transport.counts };
}
