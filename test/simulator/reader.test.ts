// What a disk says when a run is over.
import { expect, test } from 'vitest';
import { drawProfile } from './profile.ts';
import { seeded } from './random.ts';
import { readLog } from './reader.ts';
import { remove, rows, type Tree } from './world/sorted-map.ts';
import { createWorld } from './world/world.ts';

/** Of the state, whatever its generation is: message rows. */
const isMessage = (key: string): boolean => key.startsWith('\x02') && key[5] === '\x10';
const messagesOn = (tree: Tree): readonly string[] => [...rows(tree)].map(([key]) => key).filter(isMessage);

test('a row that is missing on one disk is found there, whatever the log says when it is applied anew', async () => {
  const world = createWorld({ seed: 1, profile: drawProfile('calm', seeded(1)), keepLines: 0 });
  const [machine] = world.machines;
  if (machine === undefined) throw new Error('a world has machines');
  for (const one of world.machines) one.start();
  const client = world.client('c1', 60_000);
  const due = { atMs: 3_600_000 };
  void client.schedule(
    't1',
    [
      { tag: 'm1', due },
      { tag: 'm2', due },
    ],
    client.token(),
  );
  while (messagesOn(machine.disk.tree).length < 2) await world.time.runUntil(world.time.nowMs + 100, () => {});
  const { tree } = machine.disk;
  const read = (of: Tree) => readLog(of, machine.id, machine.founders);
  expect((await read(tree)).faults).toEqual([]);
  const [first = ''] = messagesOn(tree);
  expect((await read(remove(tree, first))).faults).not.toEqual([]);
});
