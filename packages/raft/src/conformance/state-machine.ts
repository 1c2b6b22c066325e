// What every state machine must hold: it counts what it applied, hands its effects out once, and is the same everywhere.
import { strict as assert } from 'node:assert';
import type { Effects, EntryInfo, StateMachine } from '../state-machine.ts';
import type { Check } from './check.ts';

/** What the checks of state machines are given. */
export interface StateMachineHarness<Result> {
  /** A new one, with nothing applied. */
  create(): StateMachine<Result>;
  /** Entry headers and commands as the owner would encode them; several entries with one or more commands each. */
  readonly entries: readonly { readonly header: Uint8Array; readonly commands: readonly Uint8Array[] }[];
}

function info(index: number, header: Uint8Array): EntryInfo {
  return { index, term: 1, header };
}

function apply<Result>(machine: StateMachine<Result>, { entries }: StateMachineHarness<Result>): Result[] {
  const results: Result[] = [];
  machine.begin(info(1, new Uint8Array(0)));
  machine.end();
  for (const [i, { header, commands }] of entries.entries()) {
    machine.begin(info(i + 2, header));
    for (const command of commands) results.push(machine.command(command));
    machine.end();
  }
  return results;
}

function asText(effects: Effects): readonly string[] {
  const hex = (bytes: Uint8Array | undefined): string =>
    bytes === undefined ? 'gone' : Buffer.from(bytes).toString('hex');
  return effects.map(({ key, value }) => `${hex(key)} ${hex(value)}`);
}

/**
 * That a machine counts what it has applied, hands its effects out once, is the same in two replicas, and answers the commands
 * [], [ff] and [c1 00 00 00] with results. Left out is whether reads see an entry before its end: only the machine knows its reads.
 */
export function stateMachineChecks<Result>(harness: StateMachineHarness<Result>): readonly Check[] {
  const bodies: Readonly<Record<string, () => void>> = {
    'applied is the last entry that ended': () => {
      const machine = harness.create();
      assert.deepEqual({ ...machine.applied }, { index: 0, term: 0 });
      machine.begin(info(1, new Uint8Array(0)));
      assert.equal(machine.applied.index, 0, 'an entry counts at its end');
      machine.end();
      assert.deepEqual({ ...machine.applied }, { index: 1, term: 1 });
    },

    'effects are handed out once, each key once, and weigh nothing afterwards': () => {
      const machine = harness.create();
      assert.equal(machine.pendingBytes, 0);
      apply(machine, harness);
      assert.ok(machine.pendingBytes > 0, 'the applied index at least is an effect');
      const effects = machine.takeEffects();
      const keys = effects.map(({ key }) => Buffer.from(key).toString('hex'));
      assert.equal(new Set(keys).size, keys.length, 'keys are unique within one list');
      assert.ok(
        keys.every((key) => key.startsWith('02')),
        'keys begin with byte 2: the rest belongs to the log',
      );
      assert.equal(machine.pendingBytes, 0);
      machine.effectsWritten();
      assert.equal(machine.applied.index, harness.entries.length + 1);
    },

    'two replicas give the same results and the same effects': () => {
      const [one, other] = [harness.create(), harness.create()];
      assert.deepEqual(apply(one, harness), apply(other, harness));
      assert.deepEqual(asText(one.takeEffects()), asText(other.takeEffects()));
    },

    'a command that can not be decoded is a result, and not an exception': () => {
      const machine = harness.create();
      const header = harness.entries[0]?.header ?? new Uint8Array(0);
      machine.begin(info(1, header));
      for (const nonsense of [[], [0xff], [0xc1, 0, 0, 0]]) machine.command(Uint8Array.from(nonsense));
      machine.end();
      assert.equal(machine.applied.index, 1);
    },
  };
  return Object.entries(bodies).map(([name, body]) => ({ name: `state machine: ${name}`, run: async () => body() }));
}
