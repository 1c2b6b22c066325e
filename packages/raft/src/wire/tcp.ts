// The transport over TCP. Each member dials two connections to every other one and sends on them; it receives on those
// that the others dial. So nobody has to agree on whose connection is kept.
import type { Message, NodeId } from '../core/message.ts';
import type { Clock } from '../driver/clock.ts';
import { brings, type ProtocolVersion } from '../versions.ts';
import { wireBounds } from './bounds.ts';
import { encodeMessage } from './codec.ts';
import { Counts, type PeerFault } from './counts.ts';
import type { LaneName } from './handshake.ts';
import { Lane } from './lane.ts';
import { Listener } from './listener.ts';
import { type PeerSecurity, type ReadySecurity, readySecurity } from './security/security.ts';
import type { Address, Guests, Hello, Transport, TransportEvents } from './transport.ts';

/** Where a member listens and whom it dials, over TCP. */
export interface TcpOptions {
  readonly id: NodeId;
  /** Where this member listens for the others. */
  readonly listen: Address;
  /** Where the others are to be found, until `setPeers` says otherwise. Without any, nothing is listened on. */
  readonly peers: ReadonlyMap<NodeId, Address>;
  readonly clock: Clock;
  /** Uniform in [0, 1): spreads attempts to connect. */
  readonly random: () => number;
  /** Members of different groups refuse each other. An unsigned integer of 32 bits; 1 when absent. */
  readonly group?: number;
  /** The same kind at every member. Nobody is asked who he is when absent. */
  readonly security?: PeerSecurity;
  /** A connection was ended for what its other end said. Must not throw; strangers decide how often it is called. */
  readonly onFault?: (fault: PeerFault) => void;
}

/** The transport over TCP: two connections to each peer, one of them for bulk, so that a heartbeat queues behind no entries. */
export interface TcpTransport extends Transport {
  /** What was dropped, refused or lost, by reason. */
  readonly counts: ReadonlyMap<string, number>;
  /** Peers to whom both connections are up. */
  connectedPeers(): readonly NodeId[];
  /** The version of the protocol that is spoken to this peer; undefined unless it is connected. */
  versionTo(peer: NodeId): ProtocolVersion | undefined;
}

/**
 * A transport, not started. `start` rejects with RaftError HF_PEER_PORT when it can not listen.
 * @throws RaftError HF_PEER_SECURITY
 */
export function createTcpTransport(options: TcpOptions): TcpTransport {
  return new Tcp(options);
}

interface Lanes extends Readonly<Record<LaneName, Lane>> {
  readonly address: Address;
}

/** From the start on. */
interface Started {
  readonly events: TransportEvents;
  readonly hello: () => Hello;
  listener: Listener | undefined;
}

class Tcp implements TcpTransport {
  readonly #options: TcpOptions;
  readonly #counts: Counts;
  readonly #security: ReadySecurity;
  readonly #lanes = new Map<NodeId, Lanes>();
  #peers: ReadonlyMap<NodeId, Address>;
  #guests: Guests = 'nobody';
  #started: Started | undefined;
  #cancelListen: (() => void) | undefined;
  #isClosed = false;

  constructor(options: TcpOptions) {
    const { id, clock, security = { kind: 'none' }, onFault } = options;
    this.#options = options;
    this.#peers = options.peers;
    this.#counts = new Counts(onFault);
    this.#security = readySecurity(security, id, clock.wallMs());
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts.all;
  }

  connectedPeers(): readonly NodeId[] {
    return [...this.#lanes].filter(([, { control, bulk }]) => control.isUp && bulk.isUp).map(([peer]) => peer);
  }

  versionTo(peer: NodeId): ProtocolVersion | undefined {
    return this.#lanes.get(peer)?.control.version;
  }

  async start(events: TransportEvents, hello: () => Hello): Promise<void> {
    if (this.#isClosed) return;
    const started: Started = { events, hello, listener: undefined };
    this.#started = started;
    if (this.#hasCompany) await this.#listen(started);
    this.#tendLanes();
  }

  setPeers(peers: ReadonlyMap<NodeId, Address>, guests: Guests): void {
    const before = this.#peers;
    this.#peers = peers;
    this.#guests = guests;
    if (this.#isClosed || this.#started === undefined) return;
    this.#started.listener?.dropUnknown();
    // Also where guests are heard: a removed member learns of it when it introduces itself, and never if its connection stays.
    for (const peer of before.keys()) if (!peers.has(peer)) this.#started.listener?.drop(peer);
    this.#tendLanes();
    if (this.#hasCompany && this.#started.listener === undefined) void this.#listenAtLast(this.#started);
  }

  /** A node on its own needs no port. */
  get #hasCompany(): boolean {
    return this.#peers.size > 0 || this.#guests === 'anybody';
  }

  #knows(id: NodeId): boolean {
    return this.#peers.has(id) || this.#guests === 'anybody';
  }

  #listen(started: Started): Promise<void> {
    const { id, listen, clock, group = 1 } = this.#options;
    const { events, hello } = started;
    started.listener = new Listener({
      id,
      knows: (peer) => this.#knows(peer),
      group,
      security: this.#security,
      clock,
      counts: this.#counts,
      hello,
      events,
      onIntroduced: (peer) => this.#hurry(peer),
    });
    return started.listener.listen(listen);
  }

  /** It runs already, and others count on it: that a port is taken is no reason to stop. */
  async #listenAtLast(started: Started): Promise<void> {
    try {
      await this.#listen(started);
    } catch {
      started.listener = undefined;
      if (this.#isClosed) return;
      const { id, clock } = this.#options;
      this.#counts.fault('listen', id);
      this.#cancelListen = clock.after(wireBounds.listenAgainMs, () => this.setPeers(this.#peers, this.#guests));
    }
  }

  /** One pair of lanes for each peer, at its present address. */
  #tendLanes(): void {
    if (this.#isClosed || this.#started === undefined) return;
    const { events, hello } = this.#started;
    for (const [peer, { address, control, bulk }] of this.#lanes) {
      const now = this.#peers.get(peer);
      if (now?.host === address.host && now.port === address.port) continue;
      control.close();
      bulk.close();
      this.#lanes.delete(peer);
    }
    for (const [peer, address] of this.#peers) {
      if (this.#lanes.has(peer)) continue;
      const lane = (name: LaneName): Lane => this.#lane(name, peer, address, events, hello);
      const lanes = { address, control: lane('control'), bulk: lane('bulk') };
      this.#lanes.set(peer, lanes);
      lanes.control.open();
      lanes.bulk.open();
    }
  }

  send(message: Message): void {
    const lane = this.#lanes.get(message.to)?.[message.kind === 'appendRequest' ? 'bulk' : 'control'];
    if (lane === undefined) return;
    const { version } = lane;
    if (version === undefined) return this.#counts.count('dropped.notConnected');
    const encoded = encodeMessage(message, this.#options.clock.wallMs(), version);
    if (encoded === undefined) return this.#counts.count('dropped.version');
    const { head, entries, entriesBytes } = encoded;
    if (head.length + entriesBytes > wireBounds.maxBulkFrameBytes) return this.#counts.count('dropped.tooLarge');
    const rest = entries.map((entry) => entry.bytes);
    lane.send('message', head, rest, entriesBytes);
  }

  sendControl(to: NodeId, bytes: Uint8Array): void {
    if (bytes.length > wireBounds.maxControlFrameBytes) return this.#counts.count('dropped.tooLarge');
    this.#lanes.get(to)?.control.send('control', bytes, [], 0);
  }

  sendBulk(to: NodeId, bytes: Uint8Array): void {
    const lane = this.#lanes.get(to)?.bulk;
    if (lane === undefined) return;
    if (!brings(lane.version ?? 0, 'snapshots')) return this.#counts.count('dropped.version');
    if (bytes.length > wireBounds.maxBulkFrameBytes) return this.#counts.count('dropped.tooLarge');
    lane.send('bulk', bytes, [], 0);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelListen?.();
    // The door first: whoever loses a connection and tries again is refused, and knows at once.
    const closed = this.#started?.listener?.close();
    for (const { control, bulk } of this.#lanes.values()) {
      control.close();
      bulk.close();
    }
    this.#lanes.clear();
    await closed;
  }

  /** The peer is there: whatever this side still waits for, it need not. */
  #hurry(peer: NodeId): void {
    const lanes = this.#lanes.get(peer);
    lanes?.control.hurry();
    lanes?.bulk.hurry();
  }

  #lane(name: LaneName, peer: NodeId, address: Address, events: TransportEvents, hello: () => Hello): Lane {
    const { clock, random, group = 1 } = this.#options;
    return new Lane({
      name,
      peer,
      address,
      group,
      security: this.#security,
      clock,
      random,
      counts: this.#counts,
      hello,
      refuses: (theirs) => events.refuses(theirs),
      onRefused: (control) => events.onControl(peer, control),
      onWelcome: (theirs) => events.onPeerUp(theirs),
      onLost: (evidence) => {
        // What a dead leader has sent and nobody has read would pass for its life, and undo the election.
        if (evidence === 'dead') this.#started?.listener?.drop(peer);
        events.onPeerLost(peer, evidence);
      },
    });
  }
}
