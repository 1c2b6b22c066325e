// What every state machine must hold that hands its state over, and takes another one's.
import { strict as assert } from 'node:assert';
import type { Effects, SnapshotStateMachine, StateExport, StateRow } from '../state-machine.ts';
import type { Check } from './check.ts';

/** A state machine on a database of its own. */
export interface MachineOnDisk<Result> {
  readonly machine: SnapshotStateMachine<Result>;
  /** Writes effects and imports to the database, in one batch. */
  write(effects: Effects): Promise<void>;
}

/** What the checks of state machines with snapshots are given. Machines that one check opens do not know of each other. */
export interface SnapshotMachineHarness<Result> {
  /** A new one, with nothing applied, in generation 1. */
  open(): Promise<MachineOnDisk<Result>>;
  /** Entry headers and commands as the owner would encode them; at least three entries, each of which leaves rows. */
  readonly entries: readonly { readonly header: Uint8Array; readonly commands: readonly Uint8Array[] }[];
}

type Body = <Result>(harness: SnapshotMachineHarness<Result>) => Promise<void>;

function apply<Result>(
  { machine }: MachineOnDisk<Result>,
  { entries }: SnapshotMachineHarness<Result>,
  from: number,
  count: number,
): readonly Result[] {
  const results: Result[] = [];
  for (const [i, { header, commands }] of entries.slice(from, from + count).entries()) {
    machine.begin({ index: from + i + 1, term: 1, header });
    for (const command of commands) results.push(machine.command(command));
    machine.end();
  }
  return results;
}

async function flush<Result>(own: MachineOnDisk<Result>): Promise<void> {
  await own.write(own.machine.takeEffects());
  own.machine.effectsWritten();
}

async function rowsOf(state: StateExport, maxBytes: number): Promise<readonly StateRow[]> {
  const rows: StateRow[] = [];
  for (;;) {
    const read = await state.read(rows.at(-1)?.key, maxBytes);
    rows.push(...read.rows);
    if (read.done) return rows;
    assert.ok(read.rows.length > 0, 'at least one row, however large');
  }
}

const asText = (rows: readonly StateRow[]): readonly string[] =>
  rows.map(({ key, value }) => `${Buffer.from(key).toString('hex')} ${Buffer.from(value).toString('hex')}`);

/** By this beginning the log store knows what belongs to a generation, and sweeps it when another one is in use. */
function areOf(generation: number, effects: Effects): void {
  const head = `02${generation.toString(16).padStart(8, '0')}`;
  for (const { key } of effects) {
    const has = Buffer.from(key).toString('hex');
    assert.ok(has.startsWith(head), `a key of generation ${generation} begins with ${head}, but is ${has}`);
  }
}

/** What a machine is not likely to expect: nothing, bytes that are no text, text that is no number or none that JSON keeps. */
const nonsense = [
  [],
  [0xff],
  [0xc1, 0, 0, 0],
  [...Buffer.from('NaN')],
  [...Buffer.from('-')],
  [...Buffer.from('1e999')],
];

/** A machine that has taken over the state of another one. */
async function successor<Result>(
  harness: SnapshotMachineHarness<Result>,
  rows: readonly StateRow[],
): Promise<MachineOnDisk<Result>> {
  const own = await harness.open();
  for (const row of rows) await own.write(own.machine.importRows(2, [row]));
  assert.equal(own.machine.applied.index, 0, 'an import changes nothing');
  await own.machine.adopt(2);
  return own;
}

async function sameStates<Result>(one: MachineOnDisk<Result>, other: MachineOnDisk<Result>): Promise<void> {
  await flush(one);
  await flush(other);
  const states = [one.machine.exportState(), other.machine.exportState()];
  const [mine, theirs] = await Promise.all(states.map((it) => rowsOf(it, 1e6)));
  assert.deepEqual(asText(theirs ?? []), asText(mine ?? []), 'rows of both');
  for (const it of states) await it.close();
}

const bodies: Readonly<Record<string, Body>> = {
  'an export shows what is on the disk, and not what is only applied [P5]': async (harness) => {
    const own = await harness.open();
    apply(own, harness, 0, 2);
    await flush(own);
    apply(own, harness, 2, 1);
    const state = own.machine.exportState();
    assert.deepEqual({ ...state.applied }, { index: 2, term: 1 });
    const before = asText(await rowsOf(state, 1e6));
    await flush(own);
    assert.deepEqual(asText(await rowsOf(state, 1e6)), before, 'nor what is written afterwards');
    await state.close();
  },

  'an export can be read in pieces of any size, and again': async (harness) => {
    const own = await harness.open();
    apply(own, harness, 0, harness.entries.length);
    await flush(own);
    const state = own.machine.exportState();
    const whole = asText(await rowsOf(state, 1e6));
    assert.ok(whole.length > 0);
    assert.deepEqual(whole, whole.toSorted(), 'in order of keys');
    for (const maxBytes of [0, 1, 50, 200]) assert.deepEqual(asText(await rowsOf(state, maxBytes)), whole);
    await state.close();
  },

  'whoever takes a state goes on as the one that it comes from': async (harness) => {
    const own = await harness.open();
    apply(own, harness, 0, 2);
    await flush(own);
    const state = own.machine.exportState();
    const other = await successor(harness, await rowsOf(state, 1e6));
    await state.close();
    assert.deepEqual({ ...other.machine.applied }, { index: 2, term: 1 });
    assert.deepEqual(apply(other, harness, 2, 1), apply(own, harness, 2, 1));
    await sameStates(own, other);
  },

  'what nonsense leaves behind is the same in memory and on the disk': async (harness) => {
    const own = await harness.open();
    const header = harness.entries[0]?.header ?? new Uint8Array(0);
    own.machine.begin({ index: 1, term: 1, header });
    for (const bytes of nonsense) own.machine.command(Uint8Array.from(bytes));
    own.machine.end();
    await flush(own);
    const state = own.machine.exportState();
    const other = await successor(harness, await rowsOf(state, 1e6));
    await state.close();
    assert.deepEqual({ ...other.machine.applied }, { index: 1, term: 1 });
    const { length } = harness.entries;
    assert.deepEqual(apply(other, harness, 1, length - 1), apply(own, harness, 1, length - 1), 'results after it');
    await sameStates(own, other);
  },

  'rows lie under their generation: 1 at first, the one they are imported to, and the one that is adopted': async (
    harness,
  ) => {
    const [own, other] = [await harness.open(), await harness.open()];
    const written = async (it: typeof own, generation: number): Promise<void> => {
      const effects = it.machine.takeEffects();
      assert.ok(effects.length > 0, 'the applied index at least is an effect');
      areOf(generation, effects);
      await it.write(effects);
      it.machine.effectsWritten();
    };
    apply(own, harness, 0, 2);
    await written(own, 1);
    const state = own.machine.exportState();
    const imported = other.machine.importRows(2, await rowsOf(state, 1e6));
    await state.close();
    assert.ok(imported.length > 0, 'rows are placed by puts');
    areOf(2, imported);
    await other.write(imported);
    apply(other, harness, 0, 1);
    await written(other, 1);
    await other.machine.adopt(2);
    apply(other, harness, 2, 1);
    await written(other, 2);
  },

  'what was applied and not written is forgotten with the state that goes': async (harness) => {
    const own = await harness.open();
    apply(own, harness, 0, 3);
    await flush(own);
    const state = own.machine.exportState();
    const rows = await rowsOf(state, 1e6);
    await state.close();
    const other = await harness.open();
    apply(other, harness, 0, 1);
    for (const row of rows) await other.write(other.machine.importRows(2, [row]));
    await other.machine.adopt(2);
    assert.equal(other.machine.pendingBytes, 0);
    assert.deepEqual({ ...other.machine.applied }, { index: 3, term: 1 });
  },

  'rows that are none are refused': async (harness) => {
    const { machine } = await harness.open();
    assert.throws(() => machine.importRows(2, [{ key: Buffer.from([0xee, 1]), value: Buffer.from('nonsense') }]));
  },
};

/**
 * Exports that show what is on the disk, imports and their keys, and that whoever takes a state over goes on as the one that it
 * comes from: also after commands that are nonsense ([], [ff], [c1 00 00 00], and the texts NaN, - and 1e999), which must be
 * answered with results. To be run beside `stateMachineChecks`. Left out is `activeVersion`.
 */
export function snapshotMachineChecks<Result>(harness: SnapshotMachineHarness<Result>): readonly Check[] {
  return Object.entries(bodies).map(([name, body]) => ({
    name: `state machine with snapshots: ${name}`,
    run: () => body(harness),
  }));
}
