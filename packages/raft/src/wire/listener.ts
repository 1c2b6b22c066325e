// Connections from others, for receiving only. Until one has introduced itself it is a stranger: it may send one small
// frame, within a time, and there may be only so many of them.
import { createServer, type Server, type Socket } from 'node:net';
import type { NodeId } from '../core/message.ts';
import type { Clock } from '../driver/clock.ts';
import { RaftError } from '../raft-error.ts';
import { wireBounds } from './bounds.ts';
import { CorruptMessage, decodeMessage } from './codec.ts';
import type { Counts } from './counts.ts';
import { BrokenFrame, encodeFrame, type Frame, FrameReader } from './frame.ts';
import {
  agreedVersion,
  decodeGreeting,
  encodeHandshake,
  type Greeting,
  type LaneName,
  maxHandshakeBytes,
  type RefusalReason,
} from './handshake.ts';
import type { Address } from './lane.ts';
import type { Hello, TransportEvents } from './transport.ts';

export interface ListenerOptions {
  readonly id: NodeId;
  readonly peers: ReadonlySet<NodeId>;
  readonly group: number;
  readonly clock: Clock;
  readonly counts: Counts;
  readonly hello: () => Hello;
  readonly events: TransportEvents;
  /** After `onPeerUp`: this peer is there. */
  readonly onIntroduced: (peer: NodeId) => void;
}

interface Connection {
  readonly socket: Socket;
  readonly reader: FrameReader;
  readonly cancelDeadline: () => void;
  /** Who it is, once that is known. */
  from: { readonly peer: NodeId; readonly lane: LaneName; readonly version: number } | undefined;
}

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  #isClosed = false;
  /** Settles, and never rejects, when the attempt to listen is over. */
  #attempt: Promise<unknown> = Promise.resolve();

  constructor(options: ListenerOptions) {
    this.#options = options;
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
    for (const { from, socket } of this.#connections) if (from?.peer === peer) socket.destroy();
  }

  #accept(socket: Socket): void {
    const { group, clock, counts } = this.#options;
    if (this.#isClosed) return void socket.destroy();
    let strangers = 0;
    for (const { from } of this.#connections) if (from === undefined) strangers += 1;
    // A stranger may reset the connection at any time; without a listener that would end the process.
    socket.on('error', () => undefined);
    if (strangers >= wireBounds.maxStrangers) {
      counts.count('strangers.tooMany');
      return void socket.destroy();
    }
    const cancelDeadline = clock.after(wireBounds.handshakeMs, () => {
      counts.count('strangers.tooSlow');
      socket.destroy();
    });
    const connection: Connection = {
      socket,
      reader: new FrameReader(group, maxHandshakeBytes),
      cancelDeadline,
      from: undefined,
    };
    this.#connections.add(connection);
    socket.on('data', (chunk) => this.#read(connection, chunk));
    socket.on('close', () => {
      cancelDeadline();
      this.#connections.delete(connection);
    });
  }

  #read(connection: Connection, chunk: Buffer): void {
    const { counts, events } = this.#options;
    try {
      for (const frame of connection.reader.read(chunk)) {
        this.#receive(connection, frame);
        if (connection.socket.destroyed) return;
      }
    } catch (error) {
      if (error instanceof BrokenFrame) counts.count(`broken.${error.reason}`);
      else if (error instanceof CorruptMessage) counts.count('broken.message');
      else throw error;
      return void connection.socket.destroy();
    }
    const { from, reader } = connection;
    if (from?.lane === 'bulk' && reader.isInsideFrame) events.onActivity(from.peer);
  }

  #receive(connection: Connection, { kind, body, checkedBytes }: Frame): void {
    const { id, counts, events } = this.#options;
    if (this.#isClosed) return;
    if (connection.from === undefined)
      return this.#introduce(connection, kind === 'greeting' ? decodeGreeting(body) : undefined);
    switch (kind) {
      case 'message': {
        const { message, sample } = decodeMessage(body, checkedBytes, connection.from.peer, id);
        return events.onMessage(message, sample);
      }
      case 'control':
        return events.onControl(connection.from.peer, body);
      case 'greeting':
      case 'welcome':
      case 'refusal':
        counts.count('broken.order');
        connection.socket.destroy();
    }
  }

  #introduce(connection: Connection, greeting: Greeting | undefined): void {
    const { counts, events, hello, group, onIntroduced } = this.#options;
    const { socket, reader } = connection;
    if (greeting === undefined) {
      counts.count('broken.handshake');
      return void socket.destroy();
    }
    const ours = hello();
    const version = agreedVersion(ours.versions, greeting.hello.versions);
    if (version === undefined) return this.#refuse(socket, 'version');
    const reason = this.#refusal(greeting);
    if (reason !== undefined) return this.#refuse(socket, reason);
    const { lane, hello: theirs } = greeting;
    // Answered here, and not at the address of this member, where another process of that name may be well.
    const refusal = events.refuses(theirs);
    if (refusal !== undefined) {
      counts.count('refused.process');
      return void socket.end(encodeFrame('control', group, refusal, 0), () => socket.destroy());
    }
    connection.cancelDeadline();
    this.#replace(theirs.id, lane);
    connection.from = { peer: theirs.id, lane, version };
    reader.maxBodyBytes = lane === 'bulk' ? wireBounds.maxBulkFrameBytes : wireBounds.maxControlFrameBytes;
    socket.write(encodeFrame('welcome', group, encodeHandshake({ version, hello: ours }), 0));
    events.onPeerUp(theirs);
    onIntroduced(theirs.id);
  }

  #refuse(socket: Socket, reason: RefusalReason): void {
    const { counts, group } = this.#options;
    counts.count(`refused.${reason}`);
    socket.end(encodeFrame('refusal', group, encodeHandshake({ reason }), 0), () => socket.destroy());
  }

  #refusal({ to, hello }: Greeting): RefusalReason | undefined {
    const { id, peers } = this.#options;
    if (to !== id) return 'wrongReceiver';
    return peers.has(hello.id) ? undefined : 'unknownMember';
  }

  /** A peer has one connection a lane; an older one is dead, and only this end has not heard of it. */
  #replace(peer: NodeId, lane: LaneName): void {
    for (const { from, socket } of this.#connections) if (from?.peer === peer && from.lane === lane) socket.destroy();
  }
}
