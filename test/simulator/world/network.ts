// The wires between nodes: connections that come up with a handshake, break with a reset or in silence, and messages that
// are late, lost, doubled or overtaken. What a real socket says about a dead process (a reset, then a refusal) is said
// here too, or kept back.
import type { Hello, Message, NodeId, Transport, TransportEvents } from '@holdfast/raft';
import type { Random } from '../random.ts';
import type { Trace } from '../trace.ts';
import type { TrueTime } from './clock.ts';
import type { Process } from './process.ts';

/** Of one direction between two machines. */
export interface Link {
  cut: boolean;
  /** Ms added to every message, for a clogged link. */
  slowMs: number;
  dropped: number;
  doubled: number;
}

/** After a refusal both sides wait so long with the next attempt. */
const refusedMs = 1_000;

interface End {
  readonly id: NodeId;
  readonly process: Process;
  readonly wallMs: () => number;
  readonly events: TransportEvents;
  readonly hello: () => Hello;
  /** Whom it dials, and sends to. */
  readonly dials: (peer: NodeId) => boolean;
  /** Whose connections it takes. */
  readonly hears: (peer: NodeId) => boolean;
  /** Until when (true ms) it does not try those again with whom a connection was refused. */
  readonly waits: Map<NodeId, number>;
  /** Peers with a connection, and which one it is. */
  readonly connected: Map<NodeId, number>;
  closed: boolean;
}

export interface NetworkOptions {
  readonly time: TrueTime;
  readonly random: Random;
  readonly trace: Trace;
  readonly nodes: readonly NodeId[];
  readonly latencyMs: number;
  /** Messages of one direction may overtake each other. */
  readonly reorders: boolean;
  /** A connection on which nothing was heard for so long is given up. */
  readonly silenceMs: number;
  /** Mean time between two attempts to connect. */
  readonly connectEveryMs: number;
}

export class Network {
  readonly #options: NetworkOptions;
  readonly #links = new Map<string, Link>();
  readonly #ends = new Map<NodeId, End>();
  readonly #heardAtMs = new Map<string, number>();
  readonly #arrivedAtMs = new Map<string, number>();
  #connections = 0;
  sent = 0;
  lost = 0;

  constructor(options: NetworkOptions) {
    this.#options = options;
    for (const from of options.nodes) {
      for (const to of options.nodes) {
        this.#links.set(`${from}>${to}`, { cut: false, slowMs: 0, dropped: 0, doubled: 0 });
      }
    }
    for (const [i, a] of options.nodes.entries()) for (const b of options.nodes.slice(i + 1)) this.#tend(a, b);
  }

  link(from: NodeId, to: NodeId): Link {
    const link = this.#links.get(`${from}>${to}`);
    if (link === undefined) throw new Error(`no link from ${from} to ${to}`);
    return link;
  }

  /** Whether what `from` sends reaches `to` now, by chance or not at all. */
  passes(from: NodeId, to: NodeId): boolean {
    const link = this.link(from, to);
    return !link.cut && !this.#options.random.chance(link.dropped);
  }

  /** The transport of one life of a node. */
  transport(id: NodeId, process: Process, wallMs: () => number): Transport {
    let own: End | undefined;
    let dialled: (peer: NodeId) => boolean = () => true;
    let heard: (peer: NodeId) => boolean = () => true;
    return {
      start: (events, hello) => {
        own = {
          id,
          process,
          wallMs,
          events,
          hello,
          dials: (peer) => dialled(peer),
          hears: (peer) => heard(peer),
          waits: new Map(),
          connected: new Map(),
          closed: false,
        };
        this.#ends.set(id, own);
        return Promise.resolve();
      },
      send: (message) => {
        if (own !== undefined) this.#send(own, message);
      },
      sendControl: (to, bytes) => {
        if (own !== undefined) this.#carry(own, to, (end) => end.events.onControl(id, bytes), 'control');
      },
      // Pieces of snapshots take their time, and are signs of life, as appends are.
      sendBulk: (to, bytes) => {
        if (own !== undefined) this.#carry(own, to, (end) => this.#bulk(end, id, bytes), 'bulk');
      },
      setPeers: (peers, guests) => {
        const before = dialled;
        dialled = (peer) => peers.has(peer);
        heard = (peer) => peers.has(peer) || guests === 'anybody';
        if (own !== undefined) this.#drop(own, (peer) => !heard(peer) || (before(peer) && !dialled(peer)));
      },
      close: () => {
        if (own !== undefined) this.#close(own, 'reset');
        return Promise.resolve();
      },
    };
  }

  /** It has connections, or may get some; otherwise it has closed them all, or not begun: nobody hears it, and it hears nobody. */
  isOpen(id: NodeId): boolean {
    return this.#ends.has(id);
  }

  /** The process of this node was killed. `told`: its machine lives and resets its connections; otherwise all goes silent. */
  processDied(id: NodeId, told: boolean): void {
    const end = this.#ends.get(id);
    if (end !== undefined && told) this.#close(end, 'dead');
    else if (end !== undefined) this.#ends.delete(id);
  }

  /** Breaks the connection between two nodes that both live. */
  reset(a: NodeId, b: NodeId): void {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const end = this.#ends.get(from);
      if (end !== undefined) this.#lose(end, to, 'reset', 0.1);
    }
  }

  #close(end: End, evidence: 'reset' | 'dead'): void {
    end.closed = true;
    if (this.#ends.get(end.id) === end) this.#ends.delete(end.id);
    for (const peer of end.connected.keys()) {
      const other = this.#ends.get(peer);
      const reaches = !this.link(end.id, peer).cut && !this.link(peer, end.id).cut;
      if (other !== undefined && reaches)
        this.#lose(other, end.id, evidence, 0.2 + this.#options.random.exponential(1));
    }
  }

  #lose(end: End, peer: NodeId, evidence: 'silent' | 'reset' | 'dead', afterMs: number): void {
    const connection = end.connected.get(peer);
    if (connection === undefined) return;
    end.connected.delete(peer);
    end.process.after(afterMs, 'socket', () => {
      if (end.closed) return;
      this.#options.trace.note(end.id, 'peer lost', peer, evidence);
      end.events.onPeerLost(peer, evidence);
    });
  }

  /** Two nodes without a connection try to get one; a side that hears nothing gives its own up. */
  #tend(a: NodeId, b: NodeId): void {
    const { time, random, connectEveryMs } = this.#options;
    time.after(0.375 * connectEveryMs + random.exponential(connectEveryMs), () => {
      this.#tend(a, b);
      const one = this.#ends.get(a);
      const two = this.#ends.get(b);
      this.#keepAlive(one, two);
      if (one !== undefined) this.#giveUpIfSilent(one, b);
      if (two !== undefined) this.#giveUpIfSilent(two, a);
      if (one !== undefined && two !== undefined && (this.#tries(one, two) || this.#tries(two, one)))
        this.#connect(one, two);
    });
  }

  #tries(from: End, to: End): boolean {
    return from.dials(to.id) && to.hears(from.id) && (from.waits.get(to.id) ?? 0) <= this.#options.time.nowMs;
  }

  /** Those lose their connections: who is a peer no more, or is not heard any more. */
  #drop(end: End, isDropped: (peer: NodeId) => boolean): void {
    for (const peer of end.connected.keys()) {
      if (!isDropped(peer)) continue;
      end.connected.delete(peer);
      const other = this.#ends.get(peer);
      if (other !== undefined) this.#lose(other, end.id, 'reset', 0.1);
    }
  }

  /** A process that may not take part is told so on the connection that it wanted. */
  #refuses(end: End, other: End): boolean {
    const control = end.events.refuses(other.hello());
    if (control === undefined) return false;
    const { time, trace } = this.#options;
    trace.note(end.id, 'refuses', other.id);
    for (const [one, two] of [
      [end, other],
      [other, end],
    ] as const)
      one.waits.set(two.id, time.nowMs + refusedMs);
    other.process.after(0.1, 'socket', () => {
      if (!other.closed) other.events.onControl(end.id, control);
    });
    return true;
  }

  /** What runs and is reached answers on a connection, though nothing is said on it. */
  #keepAlive(one: End | undefined, two: End | undefined): void {
    if (one === undefined || two === undefined || one.process.paused || two.process.paused) return;
    const connection = one.connected.get(two.id);
    const isCut = this.link(one.id, two.id).cut || this.link(two.id, one.id).cut;
    if (connection === undefined || connection !== two.connected.get(one.id) || isCut) return;
    this.#heardAtMs.set(`${one.id}>${two.id}`, this.#options.time.nowMs);
    this.#heardAtMs.set(`${two.id}>${one.id}`, this.#options.time.nowMs);
  }

  #giveUpIfSilent(end: End, peer: NodeId): void {
    const { time, silenceMs } = this.#options;
    const heardAtMs = this.#heardAtMs.get(`${peer}>${end.id}`) ?? 0;
    if (end.connected.has(peer) && time.nowMs - heardAtMs > silenceMs) this.#lose(end, peer, 'silent', 0);
  }

  #connect(one: End, two: End): void {
    const { time, trace } = this.#options;
    const [a, b] = [one.id, two.id];
    const mine = one.connected.get(b);
    if (mine !== undefined && mine === two.connected.get(a)) return;
    if (one.process.paused || two.process.paused || !this.passes(a, b) || !this.passes(b, a)) return;
    if (this.#refuses(one, two) || this.#refuses(two, one)) return;
    this.#lose(one, b, 'reset', 0);
    this.#lose(two, a, 'reset', 0);
    const hellos = [one.hello(), two.hello()] as const;
    trace.note(a, 'connected', b);
    const connection = ++this.#connections;
    for (const [end, theirs] of [
      [one, hellos[1]],
      [two, hellos[0]],
    ] as const) {
      end.connected.set(theirs.id, connection);
      this.#heardAtMs.set(`${theirs.id}>${end.id}`, time.nowMs);
      end.process.after(0.1, 'socket', () => {
        if (!end.closed && end.connected.get(theirs.id) === connection) end.events.onPeerUp(theirs);
      });
    }
  }

  #send(from: End, message: Message): void {
    const sample = { wallMs: from.wallMs() };
    const bulk = message.kind === 'appendRequest' && message.entries.length > 0;
    this.#carry(
      from,
      message.to,
      (end) => {
        if (bulk) end.events.onActivity(from.id);
        end.events.onMessage(message, sample);
      },
      message.kind,
    );
  }

  #bulk(to: End, from: NodeId, bytes: Uint8Array): void {
    to.events.onActivity(from);
    to.events.onBulk(from, new Uint8Array(bytes));
  }

  #carry(from: End, to: NodeId, deliver: (end: End) => void, kind: string): void {
    const { random, trace, time, latencyMs, reorders } = this.#options;
    const connection = from.connected.get(to);
    if (connection === undefined || from.closed || !from.process.alive || !from.dials(to)) return;
    this.sent++;
    const link = this.link(from.id, to);
    const copies = !this.passes(from.id, to) ? 0 : random.chance(link.doubled) ? 2 : 1;
    if (copies === 0) this.lost++;
    for (let copy = 0; copy < copies; copy++) {
      let atMs = time.nowMs + latencyMs + random.exponential(latencyMs) + link.slowMs * random.next();
      const direction = `${from.id}>${to}`;
      if (!reorders) atMs = Math.max(atMs, this.#arrivedAtMs.get(direction) ?? 0);
      this.#arrivedAtMs.set(direction, atMs);
      time.after(atMs - time.nowMs, () => {
        const end = this.#ends.get(to);
        if (end === undefined || end.connected.get(from.id) !== connection) return;
        this.#heardAtMs.set(direction, time.nowMs);
        end.process.arrive('socket', () => {
          if (end.closed || end.connected.get(from.id) !== connection || !end.hears(from.id)) return;
          trace.note(to, 'gets', from.id, kind);
          deliver(end);
        });
      });
    }
  }
}
