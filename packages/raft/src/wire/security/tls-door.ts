// The listening side of mutual TLS. The sockets come from the listener, which has bounded how many there are and for how
// long: node's TLS server only speaks on them, and never listens itself.
import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { NodeId } from '../../core/message.ts';
import { wireBounds } from '../bounds.ts';
import { namesMember, onlyTls13, type TlsFault, tlsFaultOf } from './certificate.ts';
import type { ReadySecurity } from './security.ts';

/** The other end has a certificate that the authority has signed; `names` says whose. */
export type OnSecure = (socket: Socket, names: (id: NodeId) => boolean) => void;

interface Waiting {
  readonly socket: Socket;
  readonly onSecure: OnSecure;
}

export class TlsDoor {
  readonly #server: Server;
  readonly #onFault: (fault: TlsFault, from: string) => void;
  /** By address and port of the other end: two connections at a time can not have the same ones. */
  readonly #waiting = new Map<string, Waiting>();

  constructor(
    { pem }: Extract<ReadySecurity, { readonly kind: 'tls' }>,
    onFault: (fault: TlsFault, from: string) => void,
  ) {
    this.#onFault = onFault;
    this.#server = createServer({
      ...pem,
      ...onlyTls13,
      requestCert: true,
      rejectUnauthorized: true,
      // No resumption: each connection shows its certificate, and it is checked with what is believed now.
      secureOptions: constants.SSL_OP_NO_TICKET,
      handshakeTimeout: wireBounds.handshakeMs,
    });
    this.#server.on('secureConnection', (socket) => this.#secure(socket));
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => this.#failed(error, socket));
  }

  /** @param address of the other end, as `addressOf` has it */
  accept(socket: Socket, address: string, onSecure: OnSecure): void {
    const waiting = { socket, onSecure };
    this.#waiting.set(address, waiting);
    // Later, because node says why it has ended a connection after the connection has closed.
    socket.once('close', () =>
      setImmediate(() => {
        if (this.#waiting.get(address) === waiting) this.#waiting.delete(address);
      }),
    );
    this.#server.emit('connection', socket);
  }

  #secure(socket: TLSSocket): void {
    const waiting = this.#take(addressOf(socket));
    const certificate = socket.getPeerX509Certificate();
    if (waiting === undefined || certificate === undefined || !socket.authorized) return void socket.destroy();
    waiting.onSecure(socket, (id) => namesMember(certificate, id));
  }

  /** Node has ended the connection. When it did so for the certificate, the error says only that it is ended. */
  #failed({ code = '' }: NodeJS.ErrnoException, socket: TLSSocket): void {
    // A string or null, whatever its type says.
    const reason: unknown = socket.authorizationError;
    const address = addressOf(socket) ?? this.#endedAddress();
    this.#take(address);
    const fault = tlsFaultOf(typeof reason === 'string' ? reason : code);
    if (fault !== undefined) this.#onFault(fault, address ?? 'unknown');
  }

  /** A closed socket has no address any more. */
  #endedAddress(): string | undefined {
    for (const [address, { socket }] of this.#waiting) if (socket.destroyed) return address;
    return undefined;
  }

  #take(address: string | undefined): Waiting | undefined {
    if (address === undefined) return undefined;
    const waiting = this.#waiting.get(address);
    this.#waiting.delete(address);
    return waiting;
  }
}

/** Of the other end; undefined when it is gone. */
export function addressOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress}:${remotePort}`;
}
