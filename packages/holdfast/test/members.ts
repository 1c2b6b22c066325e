// Three members in this process, on free ports of loopback and in directories of their own.
import { freePorts } from '../src/cli/free-ports.ts';
import { Holdfast, type JoinOptions, type MemberStore } from '../src/index.ts';

export async function addresses(ids: readonly string[]): Promise<string> {
  const ports = await freePorts(ids.length * 2);
  return ids.map((id, at) => `${id}=127.0.0.1:${ports[2 * at]}/127.0.0.1:${ports[2 * at + 1]}`).join(',');
}

export async function startMember(
  id: string,
  peers: string,
  dataDir: string,
  settings: Partial<JoinOptions> = {},
): Promise<MemberStore> {
  const self = peers.split(',').find((peer) => peer.startsWith(`${id}=`)) ?? '';
  const [peerListen = '', listen = ''] = self.slice(id.length + 1).split('/');
  return Holdfast.join({ id, dataDir, peers, listen, peerListen, ...settings });
}

export function apisOf(peers: string): string[] {
  return peers.split(',').map((peer) => `http://${peer.split('/')[1]}`);
}
