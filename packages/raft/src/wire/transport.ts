// Between nodes. The conformance suite holds every implementation to most of it.
import type { Message, NodeId } from '../core/message.ts';

/** Where a member listens: a name or an IP address, and a TCP port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Who may introduce himself beside the peers. */
export type Guests = 'nobody' | 'anybody';

/** What each side says first; checked before anything else is heard. */
export interface Hello {
  readonly clusterId: string | undefined;
  readonly id: NodeId;
  readonly members: readonly NodeId[];
  /** Drawn when the directory was founded; another one means that the directory was wiped. */
  readonly incarnation: string;
  /** Drawn at each start of the process. */
  readonly bootId: string;
  readonly lastDurableIndex: number;
  /** Versions of the protocol that it speaks and accepts, ascending. A connection uses the highest that both ends speak. */
  readonly versions: readonly number[];
}

/** Opaque to raft: the sender's wall time in ms, for the owner's cluster clock. */
export interface Sample {
  readonly wallMs: number;
}

/** What a transport tells the driver, one event after the other. None of them waits for anything. */
export interface TransportEvents {
  onMessage(message: Message, sample: Sample): void;
  /** Formation and other things of the driver, outside the core. Reliable in nothing. */
  onControl(from: NodeId, bytes: Uint8Array): void;
  /** A piece of a snapshot. Reliable in nothing, either. The bytes belong to the receiver. */
  onBulk(from: NodeId, bytes: Uint8Array): void;
  /**
   * Asked before a connection is taken into use, by a transport to which two processes can come under one name: the
   * control bytes to answer on this connection, which then ends and is not reported; undefined when it may be used.
   */
  refuses(hello: Hello): Uint8Array | undefined;
  /** From here on, what comes under this name is said by this process. */
  onPeerUp(hello: Hello): void;
  /** The connection broke. `dead`: it was reset or closed, and the next connect was refused: the process is gone. */
  onPeerLost(peer: NodeId, evidence: 'silent' | 'reset' | 'dead'): void;
  /** Bytes of a message are arriving (an append counts as a sign of life before its last byte). */
  onActivity(peer: NodeId): void;
}

/** Between nodes: it may lose, repeat and reorder, and never lies about who sent a message. */
export interface Transport {
  /**
   * Starts to listen and to connect. `hello` is asked anew for every handshake. Settles when it is closed meanwhile. What it
   * rejects with, `RaftNode.start` rejects with.
   */
  start(events: TransportEvents, hello: () => Hello): Promise<void>;
  /** Queues a message within bounds, or drops it and counts that; never throws, never waits. */
  send(message: Message): void;
  /** As `send`: what the driver says outside the core. Over TCP more than 1 MiB is dropped and counted. */
  sendControl(to: NodeId, bytes: Uint8Array): void;
  /**
   * As `send`: beside appends, behind which it queues, and not before heartbeats. Dropped for a peer of protocol version 1, and
   * over TCP when it has more than 8 MiB.
   */
  sendBulk(to: NodeId, bytes: Uint8Array): void;
  /**
   * Whom to reach, and where, from now on; before the start or at any time after it. What was queued for others is
   * dropped, and the connections of those who were peers before end, in both directions: whoever dials again introduces
   * himself anew, and hears from `refuses` why he takes part no more.
   *
   * @param guests who else may introduce himself, and is not dialled: 'anybody' where the owner's `refuses` tells apart
   * whom to hear, because it waits to be taken in, or because it may not have heard yet who the members are
   */
  setPeers(peers: ReadonlyMap<NodeId, Address>, guests: Guests): void;
  /** Ends every connection: nothing is heard or sent after it. The driver may call it twice, and before `start` has settled. */
  close(): Promise<void>;
}
