// A state machine that leaves open what a state means.
import { strict as assert } from 'node:assert';
import type { Database } from './log/database.ts';
import { readGeneration } from './log/recover.ts';
import type { Effects, EntryInfo, SnapshotStateMachine, StateExport, StateRow } from './state-machine.ts';
import { isObject, parseJson } from './untrusted-json.ts';

/** What a state is, and what a command does to it. */
export interface Value<State, Result> {
  /**
   * Before the first command. A state must come back from JSON as it was: NaN, -0, undefined, dates and maps do not, and then
   * members differ from the next start or snapshot on.
   */
  readonly initial: State;
  /** Looks at nothing else, changes nothing, and throws nothing: every member must come to the same. */
  apply(state: State, command: Uint8Array): readonly [state: State, result: Result];
}

interface Applied<State> {
  readonly index: number;
  readonly term: number;
  readonly state: State;
}

const name = Buffer.from('value');

/**
 * A state machine for small states: the whole of it is one value in memory, and one row on the disk. It is written as JSON
 * with every write of effects, and made JSON at each look at `pendingBytes`: for tests, for trying things out, and for a few
 * kilobytes that must be agreed on.
 *
 * The constructor throws an AssertionError for a row that can not be read.
 */
export class ValueMachine<State, Result> implements SnapshotStateMachine<Result> {
  readonly activeVersion = 2;
  readonly #value: Value<State, Result>;
  #generation: number;
  /** What is applied, what of it is on the disk, and what is on its way there. */
  #now: Applied<State>;
  #written: Applied<State>;
  readonly #sealed: Applied<State>[] = [];
  #entry: Applied<State> | undefined;
  #imported: Applied<State> | undefined;
  #isPending = false;

  constructor(value: Value<State, Result>, generation = 1, row?: Uint8Array) {
    this.#value = value;
    this.#generation = generation;
    this.#now = row === undefined ? { index: 0, term: 0, state: value.initial } : decode<State>(row);
    this.#written = this.#now;
  }

  /**
   * As it was when the database was last written.
   * @throws AssertionError when its row is damaged; RaftError HF_LOG_CORRUPT, HF_LOG_GAP, HF_LOG_FORMAT when the log does not
   * say which generation is in use
   */
  static async open<State, Result>(
    value: Value<State, Result>,
    database: Database,
  ): Promise<ValueMachine<State, Result>> {
    const generation = await readGeneration(database);
    return new ValueMachine(value, generation, database.getSync(keyOf(generation)));
  }

  /** After the last entry that is applied. */
  get state(): State {
    return this.#now.state;
  }

  get applied(): { readonly index: number; readonly term: number } {
    const { index, term } = this.#now;
    return { index, term };
  }

  begin({ index, term }: EntryInfo): void {
    this.#entry = { index, term, state: this.#now.state };
  }

  command(bytes: Uint8Array): Result {
    const entry = this.#entry;
    assert(entry !== undefined, 'a command stands in an entry');
    const [state, result] = this.#value.apply(entry.state, bytes);
    this.#entry = { ...entry, state };
    return result;
  }

  end(): void {
    assert(this.#entry !== undefined, 'what ends has begun');
    this.#now = this.#entry;
    this.#entry = undefined;
    this.#isPending = true;
  }

  get pendingBytes(): number {
    return this.#isPending ? encode(this.#now).length : 0;
  }

  takeEffects(): Effects {
    this.#isPending = false;
    this.#sealed.push(this.#now);
    return [{ key: keyOf(this.#generation), value: encode(this.#now) }];
  }

  effectsWritten(): void {
    const sealed = this.#sealed.shift();
    assert(sealed !== undefined, 'what is written was taken');
    this.#written = sealed;
  }

  exportState(): StateExport {
    const { index, term } = this.#written;
    const rows = index === 0 ? [] : [{ key: name, value: encode(this.#written) }];
    return {
      applied: { index, term },
      read: async (after) => ({ rows: after === undefined ? rows : [], done: true }),
      close: async () => undefined,
    };
  }

  importRows(generation: number, rows: readonly StateRow[]): Effects {
    return rows.map(({ key, value }) => {
      assert(name.equals(key), 'a row of another state machine');
      this.#imported = decode<State>(value);
      return { key: keyOf(generation), value };
    });
  }

  async adopt(generation: number): Promise<void> {
    assert(
      this.#imported !== undefined && this.#entry === undefined,
      'a state that was imported takes the place of another',
    );
    this.#now = this.#imported;
    this.#written = this.#imported;
    this.#imported = undefined;
    this.#generation = generation;
    this.#isPending = false;
  }
}

function keyOf(generation: number): Uint8Array {
  const head = Buffer.alloc(5, 2);
  head.writeUInt32BE(generation, 1);
  return Buffer.concat([head, name]);
}

function encode(applied: Applied<unknown>): Uint8Array {
  return Buffer.from(JSON.stringify(applied));
}

function decode<State>(row: Uint8Array): Applied<State> {
  const value = parseJson(row);
  assert(isObject(value) && 'state' in value, 'the row of the value can be read');
  const { index, term } = value;
  assert(Number.isSafeInteger(index) && Number.isSafeInteger(term), 'the row of the value says what is applied');
  return value as unknown as Applied<State>;
}
