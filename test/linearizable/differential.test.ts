// The checker against a real object, and against the definition.
import { expect, test } from 'vitest';
import { seeded } from '../simulator/random.ts';
import { bruteForce } from './brute-force.ts';
import { messageSpecification } from './message.ts';
import { judge } from './search.ts';
import { type MessageOperation, realStory, storyWorld, withOneLie } from './stories.ts';

/** STORY_SEED repeats a run; without it each run has a seed of its own. */
const seed = Number(process.env['STORY_SEED'] ?? Math.floor(Math.random() * 1_000_000));
const told = (n: number, story: readonly MessageOperation[]): string =>
  `STORY_SEED=${seed} repeats it; story ${n}: ${JSON.stringify(story)}`;
const specification = messageSpecification(storyWorld);

test(`what one object really did is accepted, however its operations overlap (STORY_SEED=${seed})`, () => {
  for (let n = 0; n < 1_500; n++) {
    const random = seeded(seed).fork(`real ${n}`);
    const story = realStory(random, random.int(2, 18));
    expect(judge(specification, story), told(n, story)).toMatchObject({ kind: 'linearizable' });
  }
}, 60_000);

test(`with one answer changed it is judged as the definition says, and mostly refused (STORY_SEED=${seed})`, () => {
  const counts = { accepted: 0, refused: 0 };
  for (let n = 0; n < 1_500; n++) {
    const random = seeded(seed).fork(`lie ${n}`);
    const story = withOneLie(random, realStory(random, random.int(2, 6)));
    if (story === undefined) continue;
    const expected = bruteForce(specification, story);
    counts[expected ? 'accepted' : 'refused'] += 1;
    expect(judge(specification, story).kind, told(n, story)).toBe(expected ? 'linearizable' : 'notLinearizable');
  }
  // Both happen: with much overlap another answer is often possible, too.
  expect(counts.refused).toBeGreaterThan(300);
  expect(counts.accepted).toBeGreaterThan(20);
}, 60_000);
