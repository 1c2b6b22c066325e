// A driver of one's own, in a few lines, from the public entry alone.
import {
  type Core,
  type CoreConfig,
  type CoreState,
  createCore,
  decodeEntry,
  decodePayload,
  type Entry,
  encodeEntry,
  encodePayload,
  type HardState,
  InvariantViolated,
  type LogReader,
} from '@holdfast/raft/core';
import { expect, test } from 'vitest';

/** What lies on the disk of a member: bytes, and nothing that was in memory only. */
class Disk implements LogReader {
  hardState: HardState = { term: 0, vote: undefined };
  readonly rows: Uint8Array[] = [];
  readonly firstIndex = 1;

  get lastIndex(): number {
    return this.rows.length;
  }

  term(index: number): number | undefined {
    return index === 0 ? 0 : this.#entry(index)?.term;
  }

  entries(from: number, toInclusive: number): readonly Entry[] {
    return this.rows.slice(from - 1, toInclusive).map(decodeEntry);
  }

  #entry(index: number): Entry | undefined {
    const row = this.rows[index - 1];
    return row === undefined ? undefined : decodeEntry(row);
  }
}

const config: CoreConfig = {
  id: 'only',
  heartbeatTicks: 1,
  electionMinTicks: 4,
  electionMaxTicks: 8,
  fastElectionTicks: 1,
  maxAppendBytes: 2 ** 20,
  maxInflightAppends: 16,
  maxInflightBytes: 2 ** 20,
  maxUncommittedBytes: 2 ** 20,
  maxApplyBytes: 2 ** 20,
  random: () => 0.5,
  encode: encodeEntry,
};

function stateOf(disk: Disk, applied: number): CoreState {
  const only = { id: 'only', incarnation: 'its directory', address: '' };
  const configurations = [{ index: 0, configuration: { voters: [only], learners: [] } }];
  return { hardState: disk.hardState, log: disk, applied, configurations };
}

/** Carries out what the core wants until it wants nothing more. @returns the commands that were applied */
function carriedOut(core: Core, disk: Disk): readonly string[] {
  const applied: string[] = [];
  for (;;) {
    const { messages, write, committed, readStates } = core.ready({ canWrite: true });
    expect(messages, 'there is nobody to be told').toEqual([]);
    for (const read of readStates) if (read.kind === 'ready') applied.push(`read at ${read.index}`);
    if (write !== undefined) {
      disk.hardState = write.hardState ?? disk.hardState;
      if (write.truncateFrom !== undefined) disk.rows.length = write.truncateFrom - 1;
      disk.rows.push(...write.entries.map(({ bytes }) => Uint8Array.from(bytes)));
      const last = write.entries.at(-1);
      core.advance({ kind: 'written', lastIndex: last?.index ?? 0, lastTerm: last?.term ?? 0 });
    }
    for (const { index, kind, payload } of committed) {
      if (kind === 'commands')
        applied.push(...decodePayload(payload).commands.map((command) => Buffer.from(command).toString()));
      core.advance({ kind: 'applied', index });
    }
    if (write === undefined && committed.length === 0) return applied;
  }
}

const payloadOf = (...commands: readonly string[]) =>
  encodePayload({ header: new Uint8Array(0), commands: commands.map((command) => Buffer.from(command)) });

test('a core alone leads after an election timeout, commits what is proposed, and answers reads', () => {
  const disk = new Disk();
  const core = createCore(config, stateOf(disk, 0));
  expect(core.propose(payloadOf('too early'))).toEqual({ kind: 'refused', reason: 'notLeader' });
  for (let ticks = 0; core.status().role !== 'leader'; ticks++) {
    expect(ticks, 'an election timeout').toBeLessThanOrEqual(config.electionMaxTicks);
    core.tick();
    expect(carriedOut(core, disk)).toEqual([]);
  }
  expect(core.propose(payloadOf('one', 'two'))).toEqual({ kind: 'appended', index: 2, term: 1 });
  expect(carriedOut(core, disk)).toEqual(['one', 'two']);
  core.readIndex(1);
  expect(carriedOut(core, disk)).toEqual(['read at 2']);
  expect(core.status()).toMatchObject({ role: 'leader', term: 1, commit: 2, applied: 2, durableIndex: 2 });
  expect(disk.hardState).toEqual({ term: 1, vote: 'only' });
});

test('after a crash a core goes on from its disk, and applies again what the state does not hold', () => {
  const disk = new Disk();
  disk.hardState = { term: 1, vote: 'only' };
  disk.rows.push(encodeEntry(1, 1, 'empty', new Uint8Array(0)).bytes);
  disk.rows.push(encodeEntry(2, 1, 'commands', payloadOf('one')).bytes);
  const core = createCore(config, stateOf(disk, 1));
  const applied: string[] = [];
  for (let ticks = 0; ticks <= config.electionMaxTicks; ticks++) {
    core.tick();
    applied.push(...carriedOut(core, disk));
  }
  expect(applied).toEqual(['one']);
  expect(core.status()).toMatchObject({ role: 'leader', term: 2, commit: 3 });
});

test('what can not be is refused at once, by the error that says so', () => {
  const disk = new Disk();
  expect(() => createCore({ ...config, electionMinTicks: 1 }, stateOf(disk, 0))).toThrow(InvariantViolated);
  expect(() => createCore(config, stateOf(disk, 1))).toThrow(InvariantViolated);
  const core = createCore(config, stateOf(disk, 0));
  expect(() => core.advance({ kind: 'written', lastIndex: 0, lastTerm: 0 })).toThrow(InvariantViolated);
});
