import { MemoryLevel } from 'memory-level';
import { describe, expect, test } from 'vitest';
import { main } from '../examples/counter.ts';
import { snapshotMachineChecks, stateMachineChecks } from '../src/conformance/index.ts';
import { type Effects, openLevelLog, ValueMachine } from '../src/index.ts';

const list = {
  initial: [] as readonly string[],
  apply: (all: readonly string[], command: Uint8Array) =>
    [[...all, Buffer.from(command).toString('hex')], all.length + 1] as const,
};
const entries = [['one', 'two'], ['three'], ['four']].map((texts) => ({
  header: new Uint8Array(0),
  commands: texts.map((text) => Buffer.from(text)),
}));

describe('a value', () => {
  const checks = [
    ...stateMachineChecks({ create: () => new ValueMachine(list), entries }),
    ...snapshotMachineChecks({
      open: async () => ({ machine: new ValueMachine(list), write: async () => undefined }),
      entries,
    }),
  ];
  for (const { name, run } of checks) test(name, run);
});

test('a value that was written is there when it is opened again', async () => {
  const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const;
  const database = new MemoryLevel<Uint8Array, Uint8Array>(encodings);
  await database.open();
  const machine = await ValueMachine.open(list, database);
  const log = await openLevelLog({ database, applied: 0, id: 'a', members: ['a'], random: Math.random });
  machine.begin({ index: 1, term: 1, header: new Uint8Array(0) });
  machine.command(Buffer.from('x'));
  machine.end();
  const effects: Effects = machine.takeEffects();
  await log.write({ hardState: { term: 1, vote: 'a' }, truncateFrom: undefined, entries: [], effects });
  const again = await ValueMachine.open(list, database);
  expect(again.state).toEqual(['78']);
  expect(again.applied).toEqual({ index: 1, term: 1 });
});

test('the example counts, and every member reads the sum', async () => {
  expect(await main()).toEqual([55, 55, 55]);
});
