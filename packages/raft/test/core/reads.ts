// The judge of reads: each gets one answer, and none that is older than what was applied anywhere when it was asked for.
import type { NodeId } from '../../src/core/message.ts';
import type { Member } from './harness.ts';

export class Reads {
  /** Reads that were asked for, and that got an index. */
  asked = 0;
  answered = 0;
  /** Those before it must have their answer in the end. */
  deadline = 0;
  /** By context: who asked, and what was committed then. */
  readonly #open = new Map<number, { readonly id: NodeId; readonly floor: number }>();

  ask(member: Member, committed: number): void {
    this.asked += 1;
    this.#open.set(this.asked, { id: member.id, floor: committed });
    member.core.readIndex(this.asked);
  }

  /** The process died, and who asked with it. */
  forget(member: Member): void {
    member.reads.length = 0;
    for (const [context, { id }] of this.#open) if (id === member.id) this.#open.delete(context);
  }

  judge(member: Member): void {
    for (const read of member.reads.splice(0)) {
      const open = this.#open.get(read.context);
      if (open?.id !== member.id) throw new Error(`read ${read.context} of ${member.id} has one answer too many`);
      this.#open.delete(read.context);
      if (read.kind === 'failed') continue;
      this.answered += 1;
      if (read.index < open.floor) throw new Error(`read ${read.context} is behind: ${read.index} < ${open.floor}`);
    }
  }

  judgeEnd(members: Iterable<Member>): void {
    for (const member of members) this.judge(member);
    for (const context of this.#open.keys()) {
      if (context <= this.deadline) throw new Error(`read ${context} was never answered`);
    }
  }
}
