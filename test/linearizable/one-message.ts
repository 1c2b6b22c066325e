// One message that really is one object: commands one after the other, each at an instant. Histories of it, widened at
// random, must pass the checker. Written apart from the specification, as a program and not as a relation.

import type { GetAnswer, LeaseAnswer, SettleAnswer } from './message.ts';
import type { CancelAnswer } from './message-state.ts';

interface Held {
  state: 'waiting' | 'leased' | 'retry' | 'dead' | 'done';
  attempts: number;
  token: number | undefined;
  untilMs: number;
}

export class OneMessage {
  readonly #dueMs: number;
  readonly #leaseMs: number;
  readonly #maxAttempts: number;
  readonly #groups = new Map<string, Held>();
  readonly #answers = new Map<string, CancelAnswer>();
  #end: CancelAnswer | undefined;
  #tokens = 0;

  constructor(options: { groups: readonly string[]; dueMs: number; leaseMs: number; maxAttempts: number }) {
    this.#dueMs = options.dueMs;
    this.#leaseMs = options.leaseMs;
    this.#maxAttempts = options.maxAttempts;
    for (const name of options.groups)
      this.#groups.set(name, { state: 'waiting', attempts: 0, token: undefined, untilMs: 0 });
  }

  /** Whoever may release leases does so. */
  release(nowMs: number): void {
    for (const held of this.#groups.values()) if (held.state === 'leased' && held.untilMs <= nowMs) this.#fail(held);
  }

  lease(group: string, nowMs: number): LeaseAnswer | undefined {
    const held = this.#held(group);
    if (this.#end !== undefined || nowMs < this.#dueMs) return undefined;
    if (held.state !== 'waiting' && held.state !== 'retry') return undefined;
    this.#tokens += 1;
    held.state = 'leased';
    held.token = this.#tokens;
    held.attempts += 1;
    held.untilMs = nowMs + this.#leaseMs;
    return { token: held.token, attempt: held.attempts, untilMs: held.untilMs };
  }

  cancel(key: string | undefined): CancelAnswer {
    const first = key === undefined ? undefined : this.#answers.get(key);
    if (first !== undefined) return first;
    const answer = this.#cancel();
    if (key !== undefined) this.#answers.set(key, answer);
    return answer;
  }

  settle(kind: 'ack' | 'nack' | 'extend', group: string, token: number, nowMs: number): SettleAnswer {
    const held = this.#held(group);
    if (this.#end !== undefined || held.state === 'done')
      return { result: kind === 'ack' ? 'ok' : 'receiptNotCurrent' };
    if (held.state === 'leased' && held.token === token) {
      if (kind === 'extend') {
        held.untilMs = Math.max(held.untilMs, nowMs + this.#leaseMs);
        return { result: 'ok', untilMs: held.untilMs };
      }
      if (kind === 'nack') this.#fail(held);
      else held.state = 'done';
      if ([...this.#groups.values()].every(({ state }) => state === 'done')) this.#end = { kind: 'delivered' };
      return { result: 'ok' };
    }
    const isRepeat = kind === 'nack' && held.token === token && held.state !== 'leased';
    return { result: isRepeat ? 'ok' : 'receiptNotCurrent' };
  }

  get(): GetAnswer {
    if (this.#end !== undefined) return { state: this.#end.kind, groups: [] };
    const groups = [...this.#groups].map(([group, { state, attempts }]) => ({
      group,
      state,
      attempts: state === 'done' ? 0 : attempts,
    }));
    return { state: groups.every(({ state }) => state === 'waiting') ? 'waiting' : 'outstanding', groups };
  }

  #cancel(): CancelAnswer {
    if (this.#end !== undefined) return this.#end;
    const all = [...this.#groups.values()];
    const leased = all.filter(({ state }) => state === 'leased');
    if (leased.length > 0) return { kind: 'leased', leasedUntilMs: Math.max(...leased.map(({ untilMs }) => untilMs)) };
    const open = all.filter(({ state }) => state !== 'done');
    this.#end = all.every(({ state }) => state === 'waiting')
      ? { kind: 'cancelled' }
      : { kind: 'stopped', attempts: Math.max(...open.map(({ attempts }) => attempts)) };
    return this.#end;
  }

  #fail(held: Held): void {
    held.state = held.attempts < this.#maxAttempts ? 'retry' : 'dead';
  }

  #held(group: string): Held {
    const held = this.#groups.get(group);
    if (held === undefined) throw new Error(`no group ${group}`);
    return held;
  }
}
