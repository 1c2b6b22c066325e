// When another member says that this one may not take part: whom to believe.
import type { NodeId } from '../../core/message.ts';
import type { Refusal } from './control.ts';

export class Rejected {
  readonly #others: number;
  /** Who refuses this member at present, each for a reason of its own. */
  readonly #by = new Set<NodeId>();

  /** @param members how many there are, this one among them */
  constructor(members: number) {
    this.#others = members - 1;
  }

  /**
   * A member that was never founded believes anyone, and so does one that is told by its leader that its log is cut. A
   * founded one needs to hear it from as many as could make a majority without it: among three where one directory
   * comes from another cluster, that one must stop, and not the two others.
   */
  mustStop(by: NodeId, refusal: Refusal, isFounded: boolean): boolean {
    this.#by.add(by);
    if (!isFounded || refusal.code === 'HF_LOG_CUT') return true;
    return this.#by.size > this.#others / 2;
  }

  /** It speaks to this member, so it admits it: what it said before was said by another process, or is settled. */
  admittedBy(peer: NodeId): void {
    this.#by.delete(peer);
  }
}
