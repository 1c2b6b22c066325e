// When another member says that this one may not take part: whom to believe.
import type { NodeId } from '../../core/message.ts';
import { type Identity, isWaiting } from '../../log/identity.ts';
import { RaftError } from '../../raft-error.ts';
import type { NotNamed, Refusal } from './control.ts';

interface Standing {
  readonly identity: Identity;
  readonly bootId: string;
  readonly isFounded: boolean;
  /** How many other members there are. */
  readonly others: number;
  /** The newest entry, committed or not, that says who the members are, or that a leader has told of. */
  readonly newestIndex: number;
}

/** The error with which this member must stop; or why what was said is no reason to. */
export type Judgement = RaftError | 'another' | 'notYet';

const byOne: ReadonlySet<string> = new Set(['HF_LOG_CUT', 'HF_REMOVED_MEMBER']);

export class Rejected {
  readonly #standing: () => Standing;
  /** Who refuses this member at present, each for a reason of its own. */
  readonly #by = new Set<NodeId>();

  constructor(standing: () => Standing) {
    this.#standing = standing;
  }

  /**
   * A member that was never founded believes anyone, and so does one that is told by its leader that its log is cut. A
   * founded one believes that it was removed, which is said by committed
   * entries and within one cluster only; anything else it needs to hear from as many as could make a majority without it: among three where one directory
   * comes from another cluster, that one must stop, and not the two others.
   */
  refused(by: NodeId, refusal: Refusal): Judgement {
    const { identity, bootId, isFounded, others } = this.#standing();
    if (refusal.incarnation !== identity.incarnation || (refusal.bootId ?? bootId) !== bootId) return 'another';
    // Whoever refuses it may know another process of its name, which is to be removed first.
    if (isWaiting(identity)) return 'notYet';
    this.#by.add(by);
    const isEnough = !isFounded || byOne.has(refusal.code) || this.#by.size > others / 2;
    return isEnough ? new RaftError(refusal.code, `${by} says: ${refusal.detail}`, { peer: by }) : 'notYet';
  }

  /**
   * A committed entry, behind all that this member knows of, does not name it. By an earlier one it was a member, or it
   * could not be founded: so it was removed. Whoever knows less than this member does says nothing about it.
   */
  notNamed(by: NodeId, { incarnation, index }: NotNamed): Judgement {
    const { identity, isFounded, newestIndex } = this.#standing();
    if (incarnation !== identity.incarnation) return 'another';
    if (!isFounded || index <= newestIndex) return 'notYet';
    const detail = `${by} knows who the members are at index ${index}, and ${identity.id} is none of them.`;
    return new RaftError('HF_REMOVED_MEMBER', detail, { peer: by, index });
  }

  /** It speaks to this member, so it admits it: what it said before was said by another process, or is settled. */
  admittedBy(peer: NodeId): void {
    this.#by.delete(peer);
  }
}
