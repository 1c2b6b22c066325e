// Opens a connection to another member. Over TLS it is ready when the other end has shown the certificate of the member
// that is looked for; whether it believes ours shows only in its first answer.
import { X509Certificate } from 'node:crypto';
import { connect, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { NodeId } from '../../core/message.ts';
import type { Address } from '../transport.ts';
import { namesMember, wrongNameCode } from './certificate.ts';
import type { ReadySecurity } from './security.ts';

export interface Dialled {
  readonly socket: Socket;
  /** Of the socket's events: from here on it can be spoken. */
  readonly readyEvent: 'connect' | 'secureConnect';
}

export function dial(address: Address, peer: NodeId, security: ReadySecurity): Dialled {
  try {
    return dialled(address, peer, security);
  } catch (error) {
    // A port beyond 65535, say, which an entry of the log may name to every member and at each start: an attempt that fails.
    const socket = new Socket();
    socket.destroy(error instanceof Error ? error : new Error(String(error)));
    return { socket, readyEvent: 'connect' };
  }
}

function dialled({ host, port }: Address, peer: NodeId, security: ReadySecurity): Dialled {
  if (security.kind !== 'tls') {
    return { socket: connect({ host, port, noDelay: true, keepAlive: true }), readyEvent: 'connect' };
  }
  const socket = connectTls({
    host,
    port,
    secureContext: security.context,
    rejectUnauthorized: true,
    // The address is where the member is to be found; who it is, the certificate says.
    checkServerIdentity: (_, { raw }) =>
      namesMember(new X509Certificate(raw), peer) ? undefined : new WrongName(peer),
  });
  socket.once('connect', () => socket.setNoDelay(true).setKeepAlive(true));
  return { socket, readyEvent: 'secureConnect' };
}

class WrongName extends Error {
  readonly code = wrongNameCode;

  constructor(peer: NodeId) {
    super(`the certificate does not name ${peer}`);
    this.name = 'WrongName';
  }
}
