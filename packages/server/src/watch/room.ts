// Whether the cluster may take new messages: not while the leader's disk is low, nor while a majority of the members would
// not have room. What was acknowledged must still be delivered, acknowledged and removed, and each of these is a write: the
// last bytes are for them. The leader asks the others what they say of their disks, by the route that everybody may ask.
import { HoldfastError } from '@holdfast/api';
import type { Clock, NodeId } from '@holdfast/raft';
import type { DiskSeen, MemberLog, Peer } from '../member.ts';

export interface RoomPorts {
  readonly self: NodeId;
  /** All members at this moment. */
  peers(): readonly Peer[];
  /** The own disk. */
  own(): DiskSeen | undefined;
  leads(): boolean;
  /** Whether this leader has heard each of the other voters within an election timeout; nobody on a follower. */
  otherVoters(): ReadonlyMap<NodeId, { readonly recentlyActive: boolean }>;
  /** What a peer says of its disk; undefined when it does not know. May fail. */
  ask(peer: Peer, signal: AbortSignal): Promise<DiskSeen | undefined>;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
  readonly log: MemberLog;
}

export interface Room {
  /** @throws HF_DISK_LOW */
  require(): void;
  readonly acceptsNew: boolean;
  /** The own disk, and on a leader the last word of each peer about its own. */
  readonly disks: ReadonlyMap<NodeId, DiskSeen>;
  /** Refused for want of room, since the start. */
  readonly refused: number;
  /** Called every few ms while the node runs. */
  look(): void;
  stop(): void;
}

const askMs = 2_000;
/** A peer that does not answer by then is asked anew; until it answers, its last word stands. */
const answerMs = 2_000;
/** Making room takes a person some minutes; whether there is some is known within seconds. */
const retryAfterMs = 5_000;

export function createRoom(ports: RoomPorts): Room {
  const { self, log } = ports;
  const words = createWords(ports);
  let isRefusing = false;
  let refused = 0;

  const disks = (): Map<NodeId, DiskSeen> => {
    const own = ports.own();
    return own === undefined ? new Map(words.last) : new Map([...words.last, [self, own]]);
  };
  const lowNodes = (): NodeId[] => [...disks()].filter(([, { low }]) => low).map(([id]) => id);
  const hasRoom = (): boolean => {
    const low = new Set(lowNodes());
    if (low.size === 0) return true;
    if (low.has(self)) return false;
    // One that is not there has room, and is no help: what is acknowledged now lies on the disks of the others.
    const others = [...ports.otherVoters()];
    const usable = others.filter(([id, { recentlyActive }]) => recentlyActive && !low.has(id));
    return 1 + usable.length > (1 + others.length) / 2;
  };
  const tell = (): void => {
    const mustRefuse = ports.leads() && !hasRoom();
    if (mustRefuse === isRefusing) return;
    isRefusing = mustRefuse;
    const low = lowNodes().join(' ');
    if (isRefusing) log.error({ event: 'disk.refuses', low }, 'new messages are refused until there is room');
    else log.info({ event: 'disk.accepts', low }, 'new messages are no longer refused by this node');
  };

  return {
    require() {
      if (hasRoom()) return;
      refused += 1;
      throw new HoldfastError('HF_DISK_LOW', { detail: `Low: ${lowNodes().join(', ')}.`, retryAfterMs });
    },
    get acceptsNew() {
      return hasRoom();
    },
    get disks() {
      return disks();
    },
    get refused() {
      return refused;
    },
    look() {
      words.maybeAsk();
      tell();
    },
    stop: () => words.stop(),
  };
}

interface Words {
  /** What each peer said last, to a leader. */
  readonly last: ReadonlyMap<NodeId, DiskSeen>;
  maybeAsk(): void;
  stop(): void;
}

function createWords(ports: RoomPorts): Words {
  const { self, clock } = ports;
  const last = new Map<NodeId, DiskSeen>();
  const asking = new Map<NodeId, AbortController>();
  let askedAtMs = Number.NEGATIVE_INFINITY;

  const askOne = async (peer: Peer): Promise<void> => {
    const controller = new AbortController();
    asking.set(peer.id, controller);
    const cancel = clock.after(answerMs, () => {
      // The answer may never come, whatever the signal says.
      asking.delete(peer.id);
      controller.abort();
    });
    try {
      const word = await ports.ask(peer, controller.signal);
      if (controller.signal.aborted) return;
      if (word === undefined) last.delete(peer.id);
      else last.set(peer.id, word);
    } catch {
      // It is not there, or it stops: raft knows that better.
    } finally {
      cancel();
      if (asking.get(peer.id) === controller) asking.delete(peer.id);
    }
  };
  return {
    last,
    maybeAsk() {
      if (!ports.leads()) return last.clear();
      if (clock.monotonicMs() - askedAtMs < askMs) return;
      askedAtMs = clock.monotonicMs();
      const peers = ports.peers();
      for (const id of last.keys()) if (!peers.some((peer) => peer.id === id)) last.delete(id);
      for (const peer of peers) if (peer.id !== self && !asking.has(peer.id)) void askOne(peer);
    },
    stop() {
      for (const controller of asking.values()) controller.abort();
    },
  };
}
