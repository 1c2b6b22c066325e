import { assert, integer, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createClusterClock } from './cluster-time.ts';

const trueStartMs = 1_700_000_000_000;

/** A node that leads, with a clock of its own; `truth` is what time it really is. */
class Leader {
  monotonic = 5_000;
  ownSkewMs: number;
  readonly time;
  voters: readonly string[];
  learners: readonly string[] = [];

  constructor(voters: readonly string[], ownSkewMs = 0, maxClockSkewMs = 500) {
    this.voters = voters;
    this.ownSkewMs = ownSkewMs;
    const clock = { monotonicMs: () => this.monotonic, wallMs: () => this.truthMs + this.ownSkewMs };
    this.time = createClusterClock({
      clock,
      voters: () => this.voters,
      learners: () => this.learners,
      self: 'a',
      maxClockSkewMs,
    });
  }

  get truthMs(): number {
    return trueStartMs + this.monotonic;
  }

  /** A message of `voter`, whose clock is off by `skewMs`, arrives after `delayMs`. */
  hear(voter: string, skewMs: number, delayMs = 0): void {
    this.time.observe(voter, this.truthMs + skewMs - delayMs);
  }
}

describe('the stamp', () => {
  test('one wrong clock of three, the own or another, makes nothing early and nothing late [H6, H7]', () => {
    const skews = record({ good: integer({ min: -20, max: 20 }), wrong: integer({ min: -1e9, max: 1e9 }) });
    const check = property(skews, integer({ min: 0, max: 2 }), ({ good, wrong }, whose) => {
      const skewOf = (voter: number): number => (voter === whose ? wrong : voter * good);
      const leader = new Leader(['a', 'b', 'c'], skewOf(0));
      leader.hear('b', skewOf(1));
      leader.hear('c', skewOf(2));
      const honest = [0, 1, 2].filter((voter) => voter !== whose).map((voter) => leader.truthMs + skewOf(voter));
      const stamp = leader.time.stampMs(0);
      expect(stamp).toBeGreaterThanOrEqual(Math.min(...honest));
      expect(stamp).toBeLessThanOrEqual(Math.max(...honest));
    });
    assert(check);
  });

  test('is the lower of the two in the middle: with two samples a slow clock makes things late, never early', () => {
    const leader = new Leader(['a', 'b', 'c'], 0);
    leader.hear('b', 10_000);
    expect(leader.time.stampMs(0)).toBe(leader.truthMs);
    leader.ownSkewMs = 20_000;
    expect(leader.time.stampMs(0)).toBe(leader.truthMs + 10_000);
  });

  test('goes on when a learner gets its vote: a delay that began while time stood still would end early', () => {
    const leader = new Leader(['a']);
    leader.learners = ['b'];
    leader.hear('b', 7, 1_000);
    expect(leader.time.stampMs(0)).toBe(leader.truthMs);
    const lastEntryMs = leader.truthMs;
    leader.monotonic += 3_600_000;
    leader.hear('b', 7);
    leader.voters = ['a', 'b'];
    leader.learners = [];
    expect(leader.time.stampMs(lastEntryMs)).toBe(leader.truthMs);
  });

  test('is never below the replicated clock, and a clock that is ahead of all clocks is reported', () => {
    const leader = new Leader(['a']);
    const clockMs = leader.truthMs + 60_000;
    expect(leader.time.stampMs(clockMs)).toBe(clockMs);
    expect(leader.time.behindMs(clockMs)).toBe(60_000);
    leader.monotonic += 60_001;
    expect(leader.time.stampMs(clockMs)).toBe(clockMs + 1);
    expect(leader.time.behindMs(clockMs)).toBe(0);
  });

  test('stands still while fewer than a quorum of clocks is known', () => {
    const leader = new Leader(['a', 'b', 'c', 'd', 'e']);
    leader.hear('b', 0);
    expect(leader.time.isKnown()).toBe(false);
    expect(leader.time.stampMs(123)).toBe(123);
    expect(leader.time.skewsMs().get('b')).toBeUndefined();
    leader.hear('c', 0);
    expect(leader.time.isKnown()).toBe(true);
    expect(leader.time.stampMs(123)).toBe(leader.truthMs);
  });

  test('is whole ms, rounded down', () => {
    const leader = new Leader(['a']);
    leader.monotonic = 10.75;
    expect(leader.time.stampMs(0)).toBe(trueStartMs + 10);
  });
});

describe('a voter’s clock', () => {
  test('is judged by the largest of the last eight samples: delay makes a sample too small', () => {
    const leader = new Leader(['a', 'b', 'c']);
    leader.hear('c', 0);
    for (const delayMs of [80, 3, 200, 45]) {
      leader.hear('b', 0, delayMs);
      leader.monotonic += 50;
    }
    expect(leader.time.skewsMs().get('b')).toBe(-3);
  });

  test('that was set back is followed once eight samples say so', () => {
    const leader = new Leader(['a', 'b', 'c']);
    leader.hear('b', 0);
    leader.hear('c', 0);
    for (let sample = 0; sample < 7; sample++) leader.hear('b', -5_000);
    expect(leader.time.skewsMs().get('b')).toBe(0);
    leader.hear('b', -5_000);
    expect(leader.time.skewsMs().get('b')).toBe(-5_000);
  });

  test('is taken from the newest sample when all are older than five seconds, so a dead voter still counts', () => {
    const leader = new Leader(['a', 'b', 'c']);
    leader.hear('b', 0, 10);
    leader.hear('b', 0, 90);
    leader.hear('c', 0);
    expect(leader.time.skewsMs().get('b')).toBe(-10);
    leader.monotonic += 5_001;
    expect(leader.time.skewsMs().get('b')).toBe(-90);
    leader.monotonic += 86_400_000;
    expect(leader.time.stampMs(0)).toBe(leader.truthMs);
  });

  test('counts for nothing when it is no voter’s, or claims to be the own', () => {
    const leader = new Leader(['a', 'b', 'c']);
    leader.time.observe('stranger', 1);
    leader.time.observe('a', 1);
    leader.hear('b', 0);
    expect(leader.time.stampMs(0)).toBe(leader.truthMs);
    expect(leader.time.skewsMs().get('stranger')).toBeUndefined();
  });
});

test('a clock is reported when it is further from the median than allowed, and only among three or more', () => {
  const leader = new Leader(['a', 'b', 'c'], 0, 500);
  leader.hear('b', 501);
  expect(leader.time.skewed()).toEqual([]);
  leader.hear('c', 500);
  expect(leader.time.skewed()).toEqual([]);
  leader.ownSkewMs = -1;
  expect(leader.time.skewed()).toEqual([{ voter: 'a', skewMs: -501 }]);
});
