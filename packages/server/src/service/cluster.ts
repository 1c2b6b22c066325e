// The cluster as this node sees it. Every node answers for itself, also without a leader.
import type { AnswerOf } from '@holdfast/api';
import type { Desk } from './desk.ts';

export async function cluster(desk: Desk): Promise<AnswerOf<'cluster'>> {
  const status = desk.status();
  const { raft } = status;
  return {
    id: raft.id,
    incarnation: raft.incarnation,
    ...(status.clusterId === undefined ? {} : { clusterId: status.clusterId }),
    ...(raft.isWaiting ? { waiting: { incarnation: raft.incarnation, peer: desk.self.peer, api: desk.self.api } } : {}),
    role: raft.role,
    serving: status.serving,
    term: raft.term,
    ...(raft.leader === undefined ? {} : { leader: raft.leader }),
    commit: raft.commit,
    applied: raft.applied,
    stateHash: status.stateHash,
    clockMs: status.clockMs,
    ...(status.serving ? { acceptsNew: status.acceptsNew } : {}),
    members: desk.peers().map(({ id, api }) => {
      const follower = raft.role === 'leader' ? raft.followers.get(id) : undefined;
      const skewMs = status.skewMs.get(id);
      const disk = status.disks.get(id);
      return {
        id,
        api,
        ...(follower === undefined
          ? {}
          : { match: follower.match, applied: follower.applied, reachable: follower.recentlyActive }),
        ...(skewMs === undefined ? {} : { skewMs }),
        ...(disk === undefined ? {} : { disk }),
      };
    }),
  };
}
