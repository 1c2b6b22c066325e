// Members in one process, without sockets: for tests, and for trying things out. Same contract, same conformance suite.
import type { Message, NodeId } from '../core/message.ts';
import type { Clock } from '../driver/clock.ts';
import type { Hello, Transport, TransportEvents } from './transport.ts';

interface End {
  readonly events: TransportEvents;
  readonly hello: () => Hello;
}

/** Everything arrives `delayMs` after it was sent, in order, unless its link is cut or its receiver gone. */
export class MemoryNetwork {
  /** Links that let nothing through, as `from>to`. */
  readonly cut = new Set<string>();
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #ends = new Map<NodeId, End>();
  /** Whom each of them dials; everybody until it has said whom. */
  readonly #peers = new Map<NodeId, ReadonlySet<NodeId>>();

  constructor(clock: Clock, delayMs = 0) {
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  /** The end of this member: it is there from its `start` to its `close`, and meets everybody until `setPeers` says whom. */
  transport(id: NodeId): Transport {
    const deliver = (to: NodeId, give: (events: TransportEvents) => void): void => {
      this.#clock.after(this.#delayMs, () => {
        const end = this.#ends.get(to);
        if (end !== undefined && this.#ends.has(id) && !this.cut.has(`${id}>${to}`)) give(end.events);
      });
    };
    return {
      start: async (events, hello) => {
        this.#ends.set(id, { events, hello });
        for (const peer of this.#ends.keys()) {
          if (peer !== id && (this.#dials(id, peer) || this.#dials(peer, id))) this.connect(id, peer);
        }
      },
      setPeers: (peers) => {
        const before = this.#peers.get(id) ?? new Set(this.#ends.keys());
        const now = new Set(peers.keys());
        this.#peers.set(id, now);
        for (const peer of now) if (!before.has(peer)) this.connect(id, peer);
        for (const peer of before) if (peer !== id && !now.has(peer)) this.#part(id, peer);
      },
      send: (message) => {
        const sample = { wallMs: this.#clock.wallMs() };
        deliver(message.to, (events) => events.onMessage(this.arriving(message), sample));
      },
      sendControl: (to, bytes) => deliver(to, (events) => events.onControl(id, bytes)),
      sendBulk: (to, bytes) => deliver(to, (events) => events.onBulk(id, bytes)),
      close: async () => this.kill(id),
    };
  }

  /** They introduce themselves to each other, as after a connection was refused or lost. */
  connect(a: NodeId, b: NodeId): void {
    const [one, two] = [this.#ends.get(a), this.#ends.get(b)];
    if (one === undefined || two === undefined) return;
    const [ofOne, ofTwo] = [one.events.refuses(two.hello()), two.events.refuses(one.hello())];
    if (ofOne !== undefined) two.events.onControl(a, ofOne);
    if (ofTwo !== undefined) one.events.onControl(b, ofTwo);
    if (ofOne !== undefined || ofTwo !== undefined) return;
    two.events.onPeerUp(one.hello());
    one.events.onPeerUp(two.hello());
  }

  /** It has started, and was neither closed nor killed. */
  isThere(id: NodeId): boolean {
    return this.#ends.has(id);
  }

  /** Its process is gone, and the others notice. */
  kill(id: NodeId): void {
    if (!this.#ends.delete(id)) return;
    for (const end of this.#ends.values()) end.events.onPeerLost(id, 'dead');
  }

  /** What a message has become on its way. */
  protected arriving(message: Message): Message {
    return message;
  }

  #dials(id: NodeId, peer: NodeId): boolean {
    return this.#peers.get(id)?.has(peer) ?? true;
  }

  /** Their connections end; the other one dials again, if it still knows this one. */
  #part(id: NodeId, peer: NodeId): void {
    this.#ends.get(peer)?.events.onPeerLost(id, 'reset');
    if (this.#dials(peer, id)) this.connect(peer, id);
  }
}
