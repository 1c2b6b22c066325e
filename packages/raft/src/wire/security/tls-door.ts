// The listening side of mutual TLS. The sockets come from the listener, which has bounded how many there are and for how
// long: node's TLS server only speaks on them, and never listens itself.
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { NodeId } from '../../core/message.ts';
import { wireBounds } from '../bounds.ts';
import { namesMember, onlyTls13, type TlsFault, tlsFaultOf } from './certificate.ts';
import type { ReadySecurity } from './security.ts';

export interface Caller {
  /** The other end has a certificate that the authority has signed; `names` says whose. */
  onSecure(socket: Socket, names: (id: NodeId) => boolean): void;
  onFault(fault: TlsFault): void;
}

export class TlsDoor {
  readonly #server: Server;
  /** By address and port of the other end: two connections at a time can not have the same ones. */
  readonly #callers = new Map<string, Caller>();

  constructor({ pem }: Extract<ReadySecurity, { readonly kind: 'tls' }>) {
    this.#server = createServer({
      ...pem,
      ...onlyTls13,
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: wireBounds.handshakeMs,
    });
    this.#server.on('secureConnection', (socket) => this.#secure(socket));
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => this.#failed(error, socket));
  }

  accept(socket: Socket, caller: Caller): void {
    const from = endOf(socket);
    this.#callers.set(from, caller);
    socket.once('close', () => {
      if (this.#callers.get(from) === caller) this.#callers.delete(from);
    });
    this.#server.emit('connection', socket);
  }

  #secure(socket: TLSSocket): void {
    const caller = this.#take(socket);
    const certificate = socket.getPeerX509Certificate();
    if (caller === undefined || certificate === undefined || !socket.authorized) return void socket.destroy();
    caller.onSecure(socket, (id) => namesMember(certificate, id));
  }

  /** Node has ended the connection. When it did so for the certificate, the error says only that it is ended. */
  #failed({ code }: NodeJS.ErrnoException, socket: TLSSocket): void {
    // A string, whatever its type says.
    const reason: unknown = socket.authorizationError;
    this.#take(socket)?.onFault(tlsFaultOf(typeof reason === 'string' ? reason : (code ?? '')) ?? 'handshake');
  }

  #take(socket: TLSSocket): Caller | undefined {
    const from = endOf(socket);
    const caller = this.#callers.get(from);
    this.#callers.delete(from);
    return caller;
  }
}

function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
