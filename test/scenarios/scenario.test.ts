// The stories of this folder, each with a few seeds: npm run sim -- --scenario test/scenarios/<name>.txt --seed 1
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tell } from '../simulator/scenario.ts';

const stories = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.txt'));

test.each(stories)(
  '%s goes as told',
  async (file) => {
    const story = readFileSync(join(import.meta.dirname, file), 'utf8');
    for (let seed = 1; seed <= 3; seed++) expect(await tell(story, seed), `seed ${seed}`).toEqual([]);
  },
  60_000,
);

test('a story that goes otherwise says what was seen', async () => {
  const story =
    'nodes 3\nconsumer c1\nschedule m1 due 4s\nuntil 8s\nexpect m1 never delivered\nexpect m1 delivered once, not before 5s\nexpect m1 delivered 2 times\nexpect m1 refused HF_DISK_LOW\nexpect m2 acknowledged\nexpect somebody said clock.behind';
  expect(await tell(story, 1)).toHaveLength(6);
  await expect(tell('nodes 3\ndance', 1)).rejects.toThrow('nobody knows');
});

test.each([
  ['expect m1 delivered once, by 0.1', 'a time is written as'],
  ['expect m1 delivered once before 5s', 'nobody knows'],
  ['until 8', 'a time is written as'],
  ['at 5s kill all\nat 6s pause leader', 'nobody is there'],
])('a line that would hold whatever happens is refused: %s', async (line, says) => {
  const story = `nodes 3\nconsumer c1\nschedule m1 due 3s\nuntil 4s\n${line}`;
  await expect(tell(story, 1)).rejects.toThrow(says);
});
