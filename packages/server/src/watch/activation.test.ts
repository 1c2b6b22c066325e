import { expect, test } from 'vitest';
import { createActivation } from './activation.ts';

function activationInTest() {
  const world = {
    serving: true,
    active: 1,
    versions: new Map<string, readonly number[]>(),
    asked: [] as number[],
    answer: (): void => undefined,
  };
  const activation = createActivation({
    serving: () => world.serving,
    activeVersion: () => world.active,
    others: () => ['n2', 'n3'],
    versions: () => world.versions,
    activate(version) {
      world.asked.push(version);
      return new Promise<void>((resolve) => (world.answer = resolve));
    },
  });
  return { activation, world };
}

test('the version is raised when every other member understands the next one, and not before', () => {
  const { activation, world } = activationInTest();
  activation.look();
  world.versions.set('n2', [1, 2]);
  activation.look();
  world.versions.set('n3', [1]);
  activation.look();
  expect(world.asked).toEqual([]);
  world.versions.set('n3', [1, 2]);
  world.serving = false;
  activation.look();
  expect(world.asked).toEqual([]);
  world.serving = true;
  activation.look();
  expect(world.asked).toEqual([2]);
});

test('it is asked for once at a time, again when that came to nothing, and never beyond what this build knows', async () => {
  const { activation, world } = activationInTest();
  world.versions = new Map([
    ['n2', [1, 2, 3]],
    ['n3', [2, 3]],
  ]);
  activation.look();
  activation.look();
  expect(world.asked).toEqual([2]);
  world.answer();
  await new Promise(setImmediate);
  activation.look();
  expect(world.asked).toEqual([2, 2]);
  world.answer();
  await new Promise(setImmediate);
  world.active = 2;
  activation.look();
  expect(world.asked).toEqual([2, 2]);
});
