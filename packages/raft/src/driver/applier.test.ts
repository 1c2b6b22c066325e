import { expect, test } from 'vitest';
import { bytes, ManualClock, Notebook } from '../../test/world.ts';
import { encodeEntry } from '../log/entry.ts';
import { encodePayload } from '../log/payload.ts';
import { Applier } from './applier.ts';
import { driverBounds } from './bounds.ts';

function entry(index: number, ...notes: readonly string[]) {
  const payload = encodePayload({ header: bytes('h'), commands: notes.map(bytes) });
  return encodeEntry(
    index,
    1,
    notes.length === 0 ? 'empty' : 'commands',
    notes.length === 0 ? Buffer.alloc(0) : payload,
  );
}

/** A machine that takes a millisecond a command. */
class SlowNotebook extends Notebook {
  readonly clock: ManualClock;

  constructor(clock: ManualClock) {
    super();
    this.clock = clock;
  }

  override command(command: Uint8Array): number {
    this.clock.standStill(1);
    return super.command(command);
  }
}

function applier(machine: (clock: ManualClock) => Notebook = () => new Notebook()) {
  const clock = new ManualClock();
  const stateMachine = machine(clock);
  const applied: string[] = [];
  const it = new Applier({
    stateMachine,
    clock,
    onApplied: ({ index }, results) => applied.push(`${index}: ${results.join()}`),
  });
  return { it, stateMachine, applied };
}

test('entries are applied in order, each with its results', () => {
  const { it, applied, stateMachine } = applier();
  it.add([entry(1), entry(2, 'a', 'b'), entry(3, 'c')]);
  expect(it.waitingEntries).toBe(3);
  expect(it.run(0)).toBe('idle');
  expect(applied).toEqual(['1: ', '2: 1,2', '3: 3']);
  expect(stateMachine.applied).toEqual({ index: 3, term: 1 });
});

test('apply gives way after 5 ms, inside an entry if need be, and nothing of that entry shows before its end', () => {
  const { it, applied, stateMachine } = applier((clock) => new SlowNotebook(clock));
  it.add([entry(1, ...Array.from({ length: 21 }, String)), entry(2, 'z')]);
  expect(it.run(0)).toBe('time');
  expect(stateMachine.notes).toHaveLength(8);
  expect(stateMachine.applied.index).toBe(0);
  expect(applied).toEqual([]);
  expect(it.run(0)).toBe('time');
  expect(it.run(0)).toBe('time');
  expect(stateMachine.applied.index).toBe(1);
  expect(it.run(0)).toBe('idle');
  expect(applied.at(-1)).toBe('2: 22');
});

test('apply pauses while too many effects wait for the disk, and never inside an entry', () => {
  const { it, applied } = applier();
  it.add([entry(1, 'a'), entry(2, 'b')]);
  expect(it.run(driverBounds.maxPendingEffectsBytes - 10)).toBe('effects');
  expect(applied).toEqual(['1: 1']);
  expect(it.run(0)).toBe('idle');
});

test('an exception says which entry, and the entry does not end', () => {
  const { it, stateMachine } = applier();
  it.add([entry(1, 'fine'), entry(2, 'fine', 'fail')]);
  expect(() => it.run(0)).toThrow(expect.objectContaining({ code: 'HF_APPLY_FAILED', facts: { index: 2, term: 1 } }));
  expect(stateMachine.applied.index).toBe(1);
});
