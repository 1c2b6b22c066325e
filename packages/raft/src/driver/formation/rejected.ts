// When another member says that this one may not take part: whom to believe.
import type { NodeId } from '../../core/message.ts';
import type { Refusal } from './control.ts';

interface Standing {
  readonly isFounded: boolean;
  /** How many other members there are. */
  readonly others: number;
}

const byOne: ReadonlySet<string> = new Set(['HF_LOG_CUT', 'HF_REMOVED_MEMBER']);

export class Rejected {
  /** Who refuses this member at present, each for a reason of its own. */
  readonly #by = new Set<NodeId>();

  /**
   * A member that was never founded believes anyone, and so does one that is told by its leader that its log is cut. A
   * founded one believes that it was removed, which is said by committed
   * entries and within one cluster only; anything else it needs to hear from as many as could make a majority without it: among three where one directory
   * comes from another cluster, that one must stop, and not the two others.
   */
  mustStop(by: NodeId, refusal: Refusal, { isFounded, others }: Standing): boolean {
    this.#by.add(by);
    if (!isFounded || byOne.has(refusal.code)) return true;
    return this.#by.size > others / 2;
  }

  /** It speaks to this member, so it admits it: what it said before was said by another process, or is settled. */
  admittedBy(peer: NodeId): void {
    this.#by.delete(peer);
  }
}
