// When a leader last heard its majority: the ground on which its owner doubts that it still leads.
import type { Message, NodeId } from '../core/message.ts';

export class Hearing {
  readonly #heardAtMs = new Map<NodeId, number>();

  /** Only an answer of the own term shows that the sender still follows. */
  heard(message: Message, ownTerm: number, nowMs: number): void {
    const isAnswer = message.kind === 'appendResponse' || message.kind === 'heartbeatResponse';
    if (isAnswer && message.term === ownTerm) this.#heardAtMs.set(message.from, nowMs);
  }

  /** Monotonic ms at which a majority of `voters`, `self` heard at any time, had been heard; -Infinity for never. */
  majorityHeardAtMs(nowMs: number, voters: readonly NodeId[], self: NodeId): number {
    const times = voters.map((voter) =>
      voter === self ? nowMs : (this.#heardAtMs.get(voter) ?? Number.NEGATIVE_INFINITY),
    );
    times.sort((a, b) => b - a);
    return times[Math.floor(times.length / 2)] ?? nowMs;
  }
}
