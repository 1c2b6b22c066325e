// Connections from others, for receiving only. Until one has introduced itself it is a stranger: it may send a few small
// frames, within a time, and there may be only so many of them.
import { createServer, type Server, type Socket } from 'node:net';
import type { NodeId } from '../core/message.ts';
import type { Clock } from '../driver/clock.ts';
import { RaftError } from '../raft-error.ts';
import type { ProtocolVersion } from '../versions.ts';
import { wireBounds } from './bounds.ts';
import { CorruptMessage, decodeMessage } from './codec.ts';
import type { Counts } from './counts.ts';
import { BrokenFrame, encodeParts, type Frame, type FrameKind, FrameReader, type FrameSealer } from './frame.ts';
import { encodeHandshake, type LaneName, maxHandshakeBytes } from './handshake.ts';
import { type Introduced, Introduction } from './introduction.ts';
import type { TlsFault } from './security/certificate.ts';
import type { ReadySecurity } from './security/security.ts';
import { addressOf, TlsDoor } from './security/tls-door.ts';
import type { Address, Hello, TransportEvents } from './transport.ts';

export interface ListenerOptions {
  readonly id: NodeId;
  readonly knows: (id: NodeId) => boolean;
  readonly group: number;
  readonly security: ReadySecurity;
  readonly clock: Clock;
  readonly counts: Counts;
  readonly hello: () => Hello;
  readonly events: TransportEvents;
  /** After `onPeerUp`: this peer is there. */
  readonly onIntroduced: (peer: NodeId) => void;
}

/** As the kernel gave it. */
interface Connection {
  readonly socket: Socket;
  /** Address and port of the other end. */
  readonly address: string;
  readonly cancelDeadline: () => void;
  /** Who it is, once that is known. */
  from: Sender | undefined;
}

interface Sender {
  readonly peer: NodeId;
  readonly lane: LaneName;
  readonly version: ProtocolVersion;
}

/** Where frames travel: the connection itself, or what TLS makes of it. */
interface Channel {
  readonly socket: Socket;
  readonly connection: Connection;
  readonly reader: FrameReader;
  readonly introduction: Introduction;
  seal: FrameSealer | undefined;
}

const everybody = (): boolean => true;

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #tls: TlsDoor | undefined;
  readonly #connections = new Set<Connection>();
  #isClosed = false;
  /** Settles, and never rejects, when the attempt to listen is over. */
  #attempt: Promise<unknown> = Promise.resolve();

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { security, counts } = options;
    const onFault = (fault: TlsFault, from: string): void => counts.fault(`tls.${fault}`, from);
    this.#tls = security.kind === 'tls' ? new TlsDoor(security, onFault) : undefined;
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
  }

  /**
   * Resolves as well when it is closed meanwhile.
   * @throws RaftError HF_PEER_PORT
   */
  listen(address: Address): Promise<void> {
    const listening = new Promise<void>((resolve, reject) => {
      this.#server.on('error', (cause) => {
        reject(
          new RaftError(
            'HF_PEER_PORT',
            `${address.host}:${address.port}: ${cause.message}.`,
            { ...address },
            { cause },
          ),
        );
      });
      this.#server.on('close', resolve);
      this.#server.listen({ host: address.host, port: address.port }, resolve);
    });
    this.#attempt = listening.catch(() => undefined);
    return listening;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    const shut = () => new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // A server that still looks its address up would listen after it was closed.
    const closed = this.#server.listening ? shut() : this.#attempt.then(shut);
    for (const { socket, cancelDeadline } of this.#connections) {
      cancelDeadline();
      socket.destroy();
    }
    return closed;
  }

  /** Nothing more is heard on the connections of this peer. */
  drop(peer: NodeId): void {
    for (const connection of this.#connections) if (connection.from?.peer === peer) this.#end(connection);
  }

  /** Ends the connections of those who are known no more. */
  dropUnknown(): void {
    for (const connection of this.#connections) {
      if (connection.from !== undefined && !this.#options.knows(connection.from.peer)) this.#end(connection);
    }
  }

  #accept(socket: Socket): void {
    const { clock, counts } = this.#options;
    if (this.#isClosed) return void socket.destroy();
    // A stranger may reset the connection at any time; without a listener that would end the process.
    socket.on('error', () => undefined);
    const address = addressOf(socket);
    if (address === undefined) return void socket.destroy();
    this.#makeRoom();
    const cancelDeadline = clock.after(wireBounds.handshakeMs, () => {
      counts.fault('strangers.tooSlow', address);
      this.#end(connection);
    });
    const connection: Connection = { socket, address, cancelDeadline, from: undefined };
    this.#connections.add(connection);
    socket.on('close', () => this.#end(connection));
    if (this.#tls === undefined) return this.#listenTo(connection, socket, everybody);
    this.#tls.accept(socket, address, (secure, names) => {
      secure.on('error', () => undefined);
      this.#listenTo(connection, secure, names);
    });
  }

  /**
   * The oldest stranger goes for a new one. A member is a stranger for a few milliseconds; if new ones were sent away
   * instead, whoever holds enough idle connections would keep every member out.
   */
  #makeRoom(): void {
    const strangers = [...this.#connections].filter(({ from }) => from === undefined);
    const [oldest] = strangers;
    if (oldest === undefined || strangers.length < wireBounds.maxStrangers) return;
    this.#options.counts.fault('strangers.tooMany', oldest.address);
    this.#end(oldest);
  }

  #end(connection: Connection): void {
    connection.cancelDeadline();
    this.#connections.delete(connection);
    connection.socket.destroy();
  }

  #listenTo(connection: Connection, socket: Socket, names: (id: NodeId) => boolean): void {
    const { id, knows, group, security, hello } = this.#options;
    const introduction = new Introduction({ id, knows, security, hello, names });
    const reader = new FrameReader(group, maxHandshakeBytes);
    const channel: Channel = { socket, connection, reader, introduction, seal: undefined };
    socket.on('data', (chunk) => this.#read(channel, chunk));
  }

  #read(channel: Channel, chunk: Buffer): void {
    const { events } = this.#options;
    const { connection, reader } = channel;
    // What TLS has decrypted before its connection was ended still comes.
    if (!this.#connections.has(connection)) return;
    try {
      for (const frame of reader.read(chunk)) {
        this.#receive(channel, frame);
        if (!this.#connections.has(connection)) return;
      }
    } catch (error) {
      return this.#broken(channel, error);
    }
    const { from } = connection;
    if (from?.lane === 'bulk' && reader.isInsideFrame) events.onActivity(from.peer);
  }

  #broken({ connection }: Channel, error: unknown): void {
    const { counts } = this.#options;
    const { address, from } = connection;
    if (error instanceof CorruptMessage) counts.fault('broken.message', address);
    else if (!(error instanceof BrokenFrame)) throw error;
    // The first sealed frame is the proof.
    else if (error.reason === 'seal' && from === undefined) counts.fault('refused.secret', address);
    else counts.fault(`broken.${error.reason}`, address);
    this.#end(connection);
  }

  #receive(channel: Channel, frame: Frame): void {
    const { id, counts, events } = this.#options;
    const { connection, introduction } = channel;
    const { kind, body, checkedBytes } = frame;
    if (this.#isClosed) return;
    if (connection.from === undefined) return this.#introduce(channel, introduction.hear(frame));
    switch (kind) {
      case 'message': {
        const { peer, version } = connection.from;
        const { message, sample } = decodeMessage(body, checkedBytes, peer, id, version);
        return events.onMessage(message, sample);
      }
      case 'control':
        return events.onControl(connection.from.peer, body);
      case 'bulk':
        return events.onBulk(connection.from.peer, body);
      case 'hail':
      case 'challenge':
      case 'greeting':
      case 'welcome':
      case 'refusal':
        counts.fault('broken.order', connection.address);
        this.#end(connection);
    }
  }

  #introduce(channel: Channel, said: Introduced): void {
    const { counts } = this.#options;
    const { connection, reader } = channel;
    switch (said.kind) {
      case 'challenged':
        this.#write(channel, 'challenge', said.challenge);
        channel.seal = said.session;
        reader.seal = said.session;
        return;
      case 'broken':
        counts.fault('broken.handshake', connection.address);
        return this.#end(connection);
      case 'refused':
        counts.fault(`refused.${said.reason}`, connection.address);
        return this.#refuse(channel, said);
      case 'introduced':
        return this.#welcome(channel, said);
    }
  }

  /** Where the owner has a better reason, that one is said: who is too old for its cluster can tell why it stops. */
  #refuse(channel: Channel, { reason, hello }: Extract<Introduced, { readonly kind: 'refused' }>): void {
    const refusal = hello === undefined ? undefined : this.#options.events.refuses(hello);
    if (refusal === undefined) this.#sayLast(channel, 'refusal', encodeHandshake({ reason }));
    else this.#sayLast(channel, 'control', refusal);
  }

  #welcome(channel: Channel, { greeting, version, ours }: Extract<Introduced, { readonly kind: 'introduced' }>): void {
    const { counts, events, onIntroduced } = this.#options;
    const { connection, reader } = channel;
    const { lane, hello: theirs } = greeting;
    // Answered here, and not at the address of this member, where another process of that name may be well.
    const refusal = events.refuses(theirs);
    if (refusal !== undefined) {
      counts.count('refused.process');
      return this.#sayLast(channel, 'control', refusal);
    }
    connection.cancelDeadline();
    this.#replace(theirs.id, lane);
    connection.from = { peer: theirs.id, lane, version };
    reader.maxBodyBytes = lane === 'bulk' ? wireBounds.maxBulkFrameBytes : wireBounds.maxControlFrameBytes;
    this.#write(channel, 'welcome', encodeHandshake({ version, hello: ours }));
    events.onPeerUp(theirs);
    onIntroduced(theirs.id);
  }

  #write({ socket, seal }: Channel, kind: FrameKind, checked: Uint8Array): void {
    for (const part of encodeParts(seal, kind, this.#options.group, checked)) socket.write(part);
  }

  /** Nothing more is heard; the deadline of strangers still ends it, should the answer never be taken. */
  #sayLast(channel: Channel, kind: FrameKind, checked: Uint8Array): void {
    const { socket, connection } = channel;
    socket.removeAllListeners('data').resume();
    this.#write(channel, kind, checked);
    socket.end(() => this.#end(connection));
  }

  /** A peer has one connection a lane; an older one is dead, and only this end has not heard of it. */
  #replace(peer: NodeId, lane: LaneName): void {
    for (const connection of this.#connections) {
      if (connection.from?.peer === peer && connection.from.lane === lane) this.#end(connection);
    }
  }
}
