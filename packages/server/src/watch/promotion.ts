// A node that was taken in gets its vote from the leader, once it has what the others have. Nobody has to ask for it.
import type { ChangeOutcome, NodeId, RaftStatus } from '@holdfast/raft';
import type { MemberLog } from '../member.ts';

export interface PromotionPorts {
  /** This node leads and serves. */
  serving(): boolean;
  status(): Pick<RaftStatus, 'configuration' | 'configurationIndex' | 'commit' | 'followers'>;
  promote(id: NodeId): Promise<ChangeOutcome>;
  readonly log: MemberLog;
}

export interface Promotion {
  /** Called every few ms while the node runs. */
  look(): void;
}

export function createPromotion(ports: PromotionPorts): Promotion {
  let isUnderWay = false;
  let askedFor: NodeId | undefined;
  const promoted = async (id: NodeId): Promise<void> => {
    const { kind } = await ports.promote(id);
    if (kind === 'applied') ports.log.info({ event: 'raft.promoted', node: id }, 'a member has a vote now');
  };
  return {
    look() {
      if (isUnderWay || !ports.serving()) return;
      const { configuration, configurationIndex, commit, followers } = ports.status();
      if (commit < configurationIndex) return;
      // One that died while it learned, or does not catch up, must not stand in the way of the next.
      const able = configuration.learners.filter(({ id }) => {
        const follower = followers.get(id);
        return follower !== undefined && follower.state !== 'snapshot' && follower.recentlyActive;
      });
      const learner = able[able.findIndex(({ id }) => id === askedFor) + 1] ?? able[0];
      if (learner === undefined) return;
      isUnderWay = true;
      askedFor = learner.id;
      // Refused or lost: a later look, or the next leader, tries again.
      void promoted(learner.id).finally(() => (isUnderWay = false));
    },
  };
}
