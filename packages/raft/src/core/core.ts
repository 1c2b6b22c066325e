// The core: it decides, and touches nothing. Same inputs, same outputs. Dispatches, decides nothing else itself.
import { admits } from './admit.ts';
import { isActive } from './election/check-quorum.ts';
import { settleTerm } from './election/term.ts';
import { resetElectionTimer } from './election/timer.ts';
import { transferLeadership } from './election/transfer.ts';
import { checkInvariants, observe } from './invariants.ts';
import { propose } from './leader.ts';
import { changeMembership } from './membership/change.ts';
import { forgetConfigurations } from './membership/in-force.ts';
import type { Message, NodeId } from './message.ts';
import type { Raft } from './raft.ts';
import { createRaft, leaderOf } from './raft.ts';
import type { Ready, Receipt, Restore } from './ready.ts';
import { readIndex } from './replication/read-index.ts';
import { restore } from './replication/restore.ts';
import type { EventOf } from './role.ts';
import { dispatch } from './role.ts';
import { takeReady, takeReceipt } from './turn.ts';
import type {
  Changed,
  Core,
  CoreConfig,
  CoreState,
  CoreStatus,
  FollowerStatus,
  MembershipChange,
  Proposed,
  Transferred,
} from './types.ts';

export type * from './types.ts';

/**
 * A member as it was when it stopped: its durable term and vote, its log, its applied index.
 * Any method may throw InvariantViolated; the node must stop then, and not call it again.
 */
export function createCore(config: CoreConfig, state: CoreState): Core {
  const raft = createRaft(config, state);
  forgetConfigurations(raft);
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

  changeMembership(change: MembershipChange): Changed {
    return this.#checked(() => changeMembership(this.#raft, change));
  }

  readIndex(context: number): void {
    this.#checked(() => readIndex(this.#raft, context));
  }

  transferLeadership(to: NodeId | undefined): Transferred {
    return this.#checked(() => transferLeadership(this.#raft, to));
  }

  stepDown(): void {
    this.#event({ kind: 'stepDown' });
  }

  snapshotInstalled(peer: NodeId, index: number): void {
    this.#event({ kind: 'snapshotInstalled', peer, index });
  }

  restore(state: Restore): 'accepted' | 'unneeded' {
    return this.#checked(() => restore(this.#raft, state));
  }

  peerDown(peer: NodeId): void {
    if (!this.#raft.roster.others.includes(peer)) return;
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
    const { own, log, roster } = raft;
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
      configuration: roster.configuration,
      configurationIndex: roster.index,
      committedConfiguration: raft.configurations.findLast(({ index }) => index <= raft.commit),
      isVoter: roster.isVoter,
      followers: followersOf(raft),
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

function followersOf(raft: Raft): ReadonlyMap<NodeId, FollowerStatus> {
  const followers = new Map<NodeId, FollowerStatus>();
  if (raft.own.role !== 'leader') return followers;
  for (const [peer, progress] of raft.own.followers) {
    const { state, match, applied, inflight } = progress;
    const voter = raft.roster.voters.includes(peer);
    const recentlyActive = isActive(raft, progress);
    followers.set(peer, { voter, state, match, applied, inflight: inflight.count, recentlyActive });
  }
  return followers;
}
