import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Progress } from './progress.ts';

const limits = {
  maxInflightAppends: 4,
  maxInflightBytes: 40,
  probePatienceTicks: 4,
  maxProbePatienceTicks: 40,
  replicatePatienceTicks: 10,
  maxReplicatePatienceTicks: 40,
};
const lastIndex = 30;

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('send' as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('deliver' as const), at: fc.nat(5), again: fc.boolean() }) },
  fc.record({ kind: fc.constant('lose' as const), at: fc.nat(5) }),
  fc.record({ kind: fc.constant('tick' as const), ticks: fc.integer({ min: 1, max: 12 }) }),
  fc.constant({ kind: 'reset' } as const),
);

/** A follower that holds entries up to `has`, all of which match; it answers every append that reaches it. */
class Pair {
  readonly progress: Progress;
  has: number;
  now = 0;
  under: { readonly previous: number; readonly last: number }[] = [];

  constructor(next: number, has: number) {
    this.progress = new Progress(limits, next, 0);
    this.has = has;
  }

  send(count: number): void {
    const { progress } = this;
    if (!progress.maySend || !progress.needs(lastIndex)) return;
    const previous = progress.next - 1;
    const last = Math.min(lastIndex, previous + count);
    progress.sent(last, 10 * (last - previous), this.now);
    this.under.push({ previous, last });
  }

  deliver(at: number, again: boolean): void {
    const append = this.under[at];
    if (append === undefined) return;
    if (!again) this.under.splice(at, 1);
    if (append.previous > this.has) return this.progress.reject(append.previous, this.has);
    this.has = Math.max(this.has, append.last);
    this.progress.accept(append.last, this.now);
  }

  check(): void {
    const { match, next, sentTo, inflight, state } = this.progress;
    expect(match).toBeLessThan(next);
    expect(match).toBeLessThanOrEqual(this.has);
    expect(match).toBeLessThanOrEqual(sentTo);
    expect(next).toBeLessThanOrEqual(lastIndex + 1);
    expect(inflight.count).toBeLessThanOrEqual(limits.maxInflightAppends);
    if (state === 'probe') expect(inflight.count).toBe(0);
    if (inflight.count === 0) expect(inflight.spareBytes).toBe(limits.maxInflightBytes);
  }
}

test('whatever is lost, repeated and reordered: what is proven is true, never falls, and comes to all in the end', () => {
  const ends = fc.record({
    next: fc.integer({ min: 1, max: lastIndex + 1 }),
    has: fc.integer({ min: 0, max: lastIndex }),
  });
  fc.assert(
    fc.property(ends, fc.array(step, { maxLength: 80 }), ({ next, has }, steps) => {
      const pair = new Pair(next, has);
      const { progress } = pair;
      let match = 0;
      for (const it of steps) {
        if (it.kind === 'send') pair.send(it.count);
        else if (it.kind === 'deliver') pair.deliver(it.at, it.again);
        else if (it.kind === 'lose') pair.under.splice(it.at, 1);
        else if (it.kind === 'reset') progress.becomeProbe();
        else {
          pair.now += it.ticks;
          progress.maybeResend(pair.now);
        }
        pair.check();
        expect(progress.match).toBeGreaterThanOrEqual(match);
        match = progress.match;
      }
      // From here on nothing is lost, and the follower answers every heartbeat.
      pair.under = [];
      for (let ticks = 0; ticks < 2_000 && progress.match < lastIndex; ticks += 1) {
        pair.now += 1;
        progress.maybeResend(pair.now);
        pair.send(1);
        pair.deliver(0, false);
        pair.check();
      }
      expect(progress.match).toBe(lastIndex);
    }),
    { numRuns: 2_000 },
  );
});
