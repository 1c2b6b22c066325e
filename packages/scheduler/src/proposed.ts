// What was proposed and has not ended yet, so that a slow commit is not answered with the same proposal again.
import type { Command, CommandKind, CommandOf } from '@holdfast/store';
import type { Proposal, SchedulerPorts } from './ports.ts';

export class Proposed {
  readonly #ports: SchedulerPorts;
  readonly #inFlight = new Set<{ readonly stampMs: number }>();
  #commitMs: number;

  /** @param commitMs what a commit is taken to cost before the first one was measured */
  constructor(ports: SchedulerPorts, commitMs: number) {
    this.#ports = ports;
    this.#commitMs = commitMs;
  }

  get size(): number {
    return this.#inFlight.size;
  }

  /** From proposal to applied, smoothed over about the last ten. */
  get commitMs(): number {
    return this.#commitMs;
  }

  /** An entry is on its way that moves the clock at least to `timeMs`: it was proposed when its stamp reached it. */
  covers(timeMs: number): boolean {
    for (const proposal of this.#inFlight) if (proposal.stampMs >= timeMs) return true;
    return false;
  }

  /** Never rejects: a port that throws has broken its promise, which is a fault of the node. */
  async propose<K extends CommandKind>(command: CommandOf<K> & Command): Promise<Proposal<K>> {
    const entry = { stampMs: this.#ports.stampMs() };
    const sinceMs = this.#ports.clock.monotonicMs();
    this.#inFlight.add(entry);
    try {
      const proposal = await this.#ports.propose<K>(command);
      if (proposal.kind === 'applied') {
        this.#commitMs += (this.#ports.clock.monotonicMs() - sinceMs - this.#commitMs) / 10;
      }
      return proposal;
    } catch (error) {
      this.#ports.onFault(error);
      return { kind: 'unknown' };
    } finally {
      this.#inFlight.delete(entry);
    }
  }
}
