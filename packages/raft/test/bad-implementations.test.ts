// The checks find what is wrong with these. A check that no implementation fails holds nobody to anything.
import { expect, test } from 'vitest';
import { counter } from '../examples/counter.ts';
import {
  type Check,
  logStoreChecks,
  type SnapshotMachineHarness,
  snapshotMachineChecks,
} from '../src/conformance/index.ts';
import {
  type Effects,
  MemoryLog,
  type SnapshotStateMachine,
  type StateRow,
  type Turn,
  ValueMachine,
} from '../src/index.ts';
import { bytes, Notebook, seeded } from './world.ts';

const entriesOf = (...texts: readonly string[]) =>
  texts.map((text) => ({ header: new Uint8Array(0), commands: [bytes(text)] }));

function checksOf<Result>(
  create: () => SnapshotStateMachine<Result>,
  entries: SnapshotMachineHarness<Result>['entries'],
): readonly Check[] {
  return snapshotMachineChecks({ open: async () => ({ machine: create(), write: async () => undefined }), entries });
}

/** The names of the checks that fail, without what all of them begin with. */
async function failing(checks: readonly Check[]): Promise<readonly string[]> {
  const names: string[] = [];
  for (const { name, run } of checks) {
    await run().catch(() => names.push(name.replace(/^.*?: /, '')));
  }
  return names;
}

function under(generation: number, effects: Effects): Effects {
  return effects.map(({ key, value }) => {
    const moved = Buffer.from(key);
    moved.writeUInt32BE(generation, 1);
    return { key: moved, value };
  });
}

const rows = expect.stringMatching(/^rows lie under their generation/);

class ImportsUnderOne extends Notebook {
  override importRows(generation: number, given: readonly StateRow[]): Effects {
    return under(1, super.importRows(generation, given));
  }
}

class StaysUnderOne extends Notebook {
  override takeEffects(): Effects {
    return under(1, super.takeEffects());
  }
}

/** Its rows are where those of another state machine, or of the log, may be. */
class HasNoGeneration extends Notebook {
  override takeEffects(): Effects {
    return super.takeEffects().map(({ key, value }) => ({ key: Buffer.from(key).subarray(5), value }));
  }
}

test.each([ImportsUnderOne, StaysUnderOne, HasNoGeneration])('%o is found by its keys', async (Machine) => {
  expect(await failing(checksOf(() => new Machine(), entriesOf('one', 'two', 'three')))).toEqual([rows]);
});

/** The sum is no number after a command that is none: `null` on the disk, and 0 to whoever adds to what was read from there. */
const careless = {
  initial: 0,
  apply: (sum: number, by: Uint8Array) => [sum + Number(Buffer.from(by)), sum + Number(Buffer.from(by))] as const,
};

test('a counter that counts nonsense is found by what it leaves behind', async () => {
  const checks = checksOf(() => new ValueMachine(careless), entriesOf('1', '2', '3'));
  expect(await failing(checks)).toEqual(['what nonsense leaves behind is the same in memory and on the disk']);
});

test('the counter of the examples passes', async () => {
  expect(await failing(checksOf(() => new ValueMachine(counter), entriesOf('1', '2', '3')))).toEqual([]);
});

/** What does not fit is left out without a word. */
class SilentLog extends MemoryLog {
  override async write(turn: Turn): Promise<void> {
    await super.write(turn).catch(() => undefined);
  }
}

test('a log that says nothing of a turn that does not fit is found', async () => {
  const checks = logStoreChecks({
    open: async () => new SilentLog({ id: 'someone', members: ['someone'], random: seeded(1) }),
    reopen: async (log) => {
      await log.close();
      return log;
    },
    state: (log, key) => (log instanceof MemoryLog ? log.stateRow(key) : undefined),
  });
  expect(await failing(checks)).toEqual([
    'two writes in flight are refused',
    'a turn that does not fit to the log is refused',
    'a truncation after compaction goes back to its bound at most',
    'compaction neither goes back nor beyond the end',
    'a flip to what was not imported, or beside anything else, is refused',
  ]);
});
