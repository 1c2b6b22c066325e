import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { OwnReads } from './own-reads.ts';

const patienceTicks = 20;
const step = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: 'add' } as const) },
  fc.record({ kind: fc.constant('tick' as const), ticks: fc.constantFrom(1, 5, 12) }),
  fc.constant({ kind: 'ask' } as const),
  fc.record({ kind: fc.constant('answer' as const), late: fc.boolean(), granted: fc.boolean() }),
  fc.record({ kind: fc.constant('follow' as const), term: fc.integer({ min: 1, max: 3 }) }),
);

test('every read is answered once; what is asked for during a batch waits for the next one', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const reads = new OwnReads();
      const answered = new Map<number, string>();
      const waiting = new Map<number, number>();
      /** The batches that were asked for, with what waited when each was asked for first. */
      const batches = new Map<number, readonly number[]>();
      let [now, contexts, term] = [0, 0, 1];
      reads.follow(term, 'leader');
      const collect = (): void => {
        for (const { context, kind } of reads.takeAnswers()) {
          expect(answered.has(context)).toBe(false);
          expect(waiting.delete(context)).toBe(true);
          answered.set(context, kind);
        }
      };
      for (const it of steps) {
        if (it.kind === 'add') {
          contexts += 1;
          waiting.set(contexts, now + patienceTicks);
          reads.add(contexts, now + patienceTicks);
        } else if (it.kind === 'tick') {
          now += it.ticks;
          reads.expire(now);
        } else if (it.kind === 'ask') {
          const batch = reads.ask(now, 4, () => 100);
          if (batch !== undefined && !batches.has(batch)) batches.set(batch, [...waiting.keys()]);
        } else if (it.kind === 'answer') {
          const ids = [...batches.keys()];
          const id = it.late ? ids.at(-2) : ids.at(-1);
          const before = new Set(waiting.keys());
          if (id !== undefined) reads.answer(id, it.granted ? 7 : undefined);
          collect();
          // Only what had been asked for before the batch left: the index says nothing of what came later.
          for (const context of before) if (!waiting.has(context)) expect(batches.get(id ?? 0)).toContain(context);
        } else {
          if (it.term !== term) batches.clear();
          term = it.term;
          reads.follow(term, 'leader');
        }
        collect();
        for (const dueAt of waiting.values()) expect(dueAt).toBeGreaterThan(now);
        expect(reads.waiting).toBe(waiting.size);
      }
      reads.expire(now + patienceTicks + 1);
      collect();
      expect(answered.size).toBe(contexts);
    }),
    { numRuns: 2_000 },
  );
});
