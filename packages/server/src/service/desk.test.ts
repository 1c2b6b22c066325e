import { HoldfastError } from '@holdfast/api';
import type { Store, View } from '@holdfast/store';
import { expect, test } from 'vitest';
import { type Desk, type Leading, readLeading } from './desk.ts';

/** A desk whose leadership and view are all that a read meets. */
function deskInTest() {
  const leadership = (term: number) => ({ term, scheduler: {} }) as Leading;
  const world = { leading: leadership(1) as Leading | undefined, openViews: 0 };
  const view = (): View => {
    world.openViews += 1;
    return {
      close: async () => {
        world.openViews -= 1;
      },
    } as View;
  };
  const desk: Pick<Desk, 'replica' | 'leading'> = {
    replica: { store: { view } as Store, propose: () => Promise.reject(new Error('a read proposes nothing')) },
    leading() {
      if (world.leading === undefined) throw new HoldfastError('HF_NO_LEADER');
      return world.leading;
    },
  };
  return { desk: desk as Desk, world, leadership };
}

const noLeader = expect.objectContaining({ code: 'HF_NO_LEADER' });

test('a read answers, and gives its view back', async () => {
  const { desk, world } = deskInTest();
  expect(await readLeading(desk, () => 'seen')).toBe('seen');
  expect(world.openViews).toBe(0);
});

test('a read during which leadership was lost, or lost and won again, answers nothing', async () => {
  const { desk, world, leadership } = deskInTest();
  for (const after of [undefined, leadership(3), leadership(1)]) {
    world.leading = leadership(1);
    const read = readLeading(desk, async () => {
      world.leading = after;
      return 'seen';
    });
    await expect(read).rejects.toEqual(noLeader);
    expect(world.openViews).toBe(0);
  }
});

test('a read that fails gives its view back', async () => {
  const { desk, world } = deskInTest();
  const broken = new Error('a row is damaged');
  await expect(readLeading(desk, () => Promise.reject(broken))).rejects.toBe(broken);
  expect(world.openViews).toBe(0);
});

test('without leadership no view is opened', async () => {
  const { desk, world } = deskInTest();
  world.leading = undefined;
  await expect(readLeading(desk, () => 'seen')).rejects.toEqual(noLeader);
  expect(world.openViews).toBe(0);
});
