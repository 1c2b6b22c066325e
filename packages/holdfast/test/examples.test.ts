// The example programs, run as they stand.
import { once } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { main as connect } from '../examples/connect.ts';
import { main as join } from '../examples/join.ts';
import { main as open } from '../examples/open.ts';
import { Holdfast } from '../src/index.ts';
import { until } from './command.ts';
import { testFolder } from './folders.ts';
import { addresses, apisOf, startMember } from './members.ts';

const folder = testFolder();
const ids = ['n1', 'n2', 'n3'];

const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
afterEach(() => printed.mockClear());
const lines = (): string[] => printed.mock.calls.map(([line]) => String(line));

test('open: one node in the program keeps a message and hands it out', async () => {
  await open([folder('open')]);
  expect(lines()).toEqual([expect.stringMatching(/^kept \S+, due at 20/), 'to ada: pay the rent']);
});

test('connect: a worker handles what is due, and not what was cancelled', async () => {
  const peers = await addresses(ids);
  const members = await Promise.all(ids.map((id) => startMember(id, peers, folder(`connect-${id}`))));
  try {
    await connect(members.map(({ api }) => api));
  } finally {
    await Promise.all(members.map((member) => member.close()));
  }
  expect(lines()).toEqual([
    'order 3 is paid: cancelled',
    expect.stringMatching(/^order 1 is unpaid \(10\)/),
    expect.stringMatching(/^order 2 is unpaid \(20\)/),
    'acknowledged 2',
  ]);
});

test('join: three members in three programs hear each other', async () => {
  const peers = await addresses(ids);
  const stop = new AbortController();
  const programs = ids.map((id) => join([id, folder(`join-${id}`), peers], once(stop.signal, 'abort')));
  await using client = Holdfast.connect({ nodes: apisOf(peers) });
  // When the last one has acknowledged, and not before: two that leave take the majority with them.
  await until('everybody has heard everybody', async () => {
    const { groups } = await client
      .topic('greetings')
      .counts()
      .catch(() => ({ groups: [] }));
    return groups.length === ids.length && groups.every(({ acknowledged }) => acknowledged === ids.length);
  });
  stop.abort();
  await Promise.all(programs);
  const expected = ids.flatMap((hearer) => ids.map((from) => `${hearer} hears a greeting from ${from}`));
  expect(lines().toSorted()).toEqual(expected);
});
