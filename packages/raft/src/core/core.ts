// The core: it decides, and touches nothing. Same inputs, same outputs. Dispatches, decides nothing else itself.
import { admits } from './admit.ts';
import { isActive } from './election/check-quorum.ts';
import { settleTerm } from './election/term.ts';
import { resetElectionTimer } from './election/timer.ts';
import { transferLeadership } from './election/transfer.ts';
import { checkInvariants, observe } from './invariants.ts';
import { propose } from './leader.ts';
import type { Message, NodeId } from './message.ts';
import type { Raft } from './raft.ts';
import { createRaft, leaderOf } from './raft.ts';
import type { Ready, Receipt, Restore } from './ready.ts';
import { readIndex } from './replication/read-index.ts';
import { restore } from './replication/restore.ts';
import type { EventOf } from './role.ts';
import { dispatch } from './role.ts';
import { takeReady, takeReceipt } from './turn.ts';
import type { Core, CoreConfig, CoreState, CoreStatus, Proposed, Transferred } from './types.ts';

export type * from './types.ts';

/**
 * A member as it was when it stopped: its durable term and vote, its log, its applied index.
 * Any method may throw InvariantViolated; the node must stop then, and not call it again.
 */
export function createCore(config: CoreConfig, state: CoreState): Core {
  const raft = createRaft(config, state);
  resetElectionTimer(raft);
  return new RaftCore(raft);
}

class RaftCore implements Core {
  readonly #raft: Raft;

  constructor(raft: Raft) {
    this.#raft = raft;
  }

  step(message: Message): void {
    const raft = this.#raft;
    if (!admits(raft, message)) return;
    raft.down.delete(message.from);
    this.#checked(() => {
      if (settleTerm(raft, message)) dispatch(raft, raft.own, message);
    });
  }

  heard(peer: NodeId): void {
    this.#event({ kind: 'heard', peer });
  }

  tick(): void {
    this.#raft.now += 1;
    this.#event({ kind: 'tick' });
  }

  propose(payload: Uint8Array): Proposed {
    return this.#checked(() => propose(this.#raft, payload));
  }

  readIndex(context: number): void {
    this.#checked(() => readIndex(this.#raft, context));
  }

  transferLeadership(to: NodeId | undefined): Transferred {
    return this.#checked(() => transferLeadership(this.#raft, to));
  }

  snapshotInstalled(peer: NodeId, index: number): void {
    this.#event({ kind: 'snapshotInstalled', peer, index });
  }

  restore(state: Restore): 'accepted' | 'unneeded' {
    return this.#checked(() => restore(this.#raft, state));
  }

  peerDown(peer: NodeId): void {
    if (!this.#raft.others.includes(peer)) return;
    this.#raft.down.add(peer);
    this.#event({ kind: 'peerDown', peer });
  }

  peerReset(peer: NodeId): void {
    this.#event({ kind: 'peerReset', peer });
  }

  diskStalled(): void {
    this.#event({ kind: 'diskStalled' });
  }

  paused(ticks: number): void {
    this.#event({ kind: 'paused', ticks });
  }

  stop(): void {
    this.#raft.stopping = true;
    this.#event({ kind: 'stop' });
  }

  ready({ canWrite }: { readonly canWrite: boolean }): Ready {
    return this.#checked(() => takeReady(this.#raft, canWrite));
  }

  advance(receipt: Receipt): void {
    const raft = this.#raft;
    this.#checked(() => {
      takeReceipt(raft, receipt);
      dispatch(raft, raft.own, { kind: receipt.kind });
    });
  }

  status(): CoreStatus {
    const raft = this.#raft;
    const { own, log } = raft;
    const followers: [NodeId, { match: number; applied: number; inflight: number; recentlyActive: boolean }][] = [];
    if (own.role === 'leader') {
      for (const [peer, progress] of own.followers) {
        const { match, applied, inflight } = progress;
        followers.push([peer, { match, applied, inflight: inflight.count, recentlyActive: isActive(raft, progress) }]);
      }
    }
    return {
      id: raft.config.id,
      role: own.role,
      term: raft.term,
      leader: leaderOf(raft),
      commit: raft.commit,
      applied: raft.applied,
      lastIndex: log.lastIndex,
      durableIndex: log.stableIndex,
      termStartIndex: own.role === 'leader' ? own.termStartIndex : undefined,
      uncommittedBytes: own.role === 'leader' ? own.uncommitted.bytes : 0,
      transferringTo: own.role === 'leader' ? own.transfer?.to : undefined,
      waitingReads: raft.reads.waiting,
      followers: new Map(followers),
    };
  }

  #event(event: EventOf): void {
    this.#checked(() => dispatch(this.#raft, this.#raft.own, event));
  }

  #checked<Result>(step: () => Result): Result {
    const before = observe(this.#raft);
    const result = step();
    checkInvariants(this.#raft, before);
    return result;
  }
}
