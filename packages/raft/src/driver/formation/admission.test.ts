import { expect, test } from 'vitest';
import type { CoreStatus } from '../../core/types.ts';
import { MemoryLog } from '../../log/memory-log.ts';
import type { Hello } from '../../wire/transport.ts';
import { Members } from '../membership/members.ts';
import { Admission } from './admission.ts';

const members = ['a', 'b', 'c'];
const record = { clusterId: 'ours', incarnations: { a: 'dir a', b: 'dir b', c: 'dir c' } };

function hello(parts: Partial<Hello> = {}): Hello {
  return {
    clusterId: 'ours',
    id: 'b',
    members,
    incarnation: 'dir b',
    bootId: 'boot 1',
    lastDurableIndex: 10,
    versions: [1, 2],
    ...parts,
  };
}

function leader(match: number, commit: number): CoreStatus {
  return {
    id: 'a',
    role: 'leader',
    term: 1,
    leader: 'a',
    commit,
    applied: commit,
    lastIndex: 20,
    durableIndex: 20,
    termStartIndex: 1,
    uncommittedBytes: 0,
    configuration: { voters: members.map((id) => ({ id, incarnation: '', address: '' })), learners: [] },
    configurationIndex: 0,
    committedConfiguration: undefined,
    isVoter: true,
    transferringTo: undefined,
    waitingReads: 0,
    followers: new Map([
      ['b', { voter: true, state: 'replicate', match, applied: 0, inflight: 0, recentlyActive: true }],
    ]),
  };
}

function admissionOf(log: MemoryLog, status = leader(0, 0), machine = { activeVersion: 1 }): Admission {
  const known = new Members(log, new Map());
  known.look(status);
  return new Admission(log, known, machine);
}

async function founded(machine = { activeVersion: 1 }): Promise<Admission> {
  const log = new MemoryLog({ id: 'a', members, random: () => 0.1 });
  await log.writeFounding({ record, confirmed: true });
  return admissionOf(log, leader(0, 0), machine);
}

test('a member that was founded with this cluster is admitted; a new process of it is told apart', async () => {
  const admission = await founded();
  expect(admission.isAdmitted('b')).toBe(false);
  expect(admission.check(hello(), leader(0, 0))).toEqual({ kind: 'admitted', restarted: false });
  expect(admission.check(hello(), leader(0, 0))).toEqual({ kind: 'admitted', restarted: false });
  expect(admission.check(hello({ bootId: 'boot 2' }), leader(0, 0))).toEqual({ kind: 'admitted', restarted: true });
  expect(admission.isAdmitted('b')).toBe(true);
});

test.each<[string, Partial<Hello>, string]>([
  ['a wiped directory', { incarnation: 'another', clusterId: undefined }, 'HF_WIPED_MEMBER'],
  ['a directory of another cluster', { clusterId: 'theirs' }, 'HF_WRONG_CLUSTER'],
  ['another list of members', { members: ['a', 'b', 'd'] }, 'HF_WRONG_CLUSTER'],
])('%s is refused', async (_, parts, code) => {
  const admission = await founded();
  expect(admission.check(hello(parts), leader(0, 0))).toMatchObject({ kind: 'refused', refusal: { code } });
  expect(admission.isAdmitted('b')).toBe(false);
});

test.each([
  ['the first build, which knows one code only that fits', 2, [1], 'HF_LOG_FORMAT'],
  ['a later one', 3, [1, 2], 'HF_BUILD_TOO_OLD'],
  ['one that is new enough', 2, [1, 2], undefined],
  ['a newer one', 2, [2, 3], undefined],
])('who does not know the active version is told so: %s', async (_, activeVersion, versions, code) => {
  const admission = await founded({ activeVersion });
  const refusal = admission.refusal(hello({ versions }), leader(0, 0));
  expect(refusal?.kind === 'refusal' ? refusal.code : undefined).toBe(code);
});

test('a process that is too old for what has become active meanwhile is not heard any more', async () => {
  const machine = { activeVersion: 1 };
  const admission = await founded(machine);
  expect(admission.check(hello({ versions: [1] }), leader(0, 0)).kind).toBe('admitted');
  machine.activeVersion = 2;
  admission.recheck(leader(0, 0));
  expect(admission.isAdmitted('b')).toBe(false);
});

const removedOnce = hello({ id: 'd', members: [], incarnation: 'dir d' });
/** d was taken in and removed, by entries that are compacted. */
const after = (commit: number, configurationIndex: number): CoreStatus => ({
  ...leader(0, commit),
  configurationIndex,
});

test('one whom no committed entry names, and whose log ends before what is committed, is told so', async () => {
  const admission = await founded();
  const status = after(11, 7);
  expect(admission.refusal(removedOnce, status)).toBeUndefined();
  expect(admission.notNamed(removedOnce, status)).toEqual({ kind: 'notNamed', incarnation: 'dir d', index: 7 });
  expect(admission.notNamed(hello({ lastDurableIndex: 0 }), status), 'b is a member').toBeUndefined();
});

test.each([
  ['whose log may be a leader’s', after(10, 7)],
  ['while the newest entry is not committed, which may remove the one before it', after(11, 12)],
])('one that nobody has named is heard %s', async (_, status) => {
  const admission = await founded();
  admission.refusal(removedOnce, status);
  expect(admission.notNamed(removedOnce, status)).toBeUndefined();
  expect(admission.check(removedOnce, status).kind).toBe('admitted');
});

test('before formation any directory may come', () => {
  const admission = admissionOf(new MemoryLog({ id: 'a', members, random: () => 0.1 }));
  expect(admission.check(hello({ incarnation: 'any', clusterId: undefined }), leader(0, 0)).kind).toBe('admitted');
});

test('a log that ends before what it had acknowledged and was committed is refused', async () => {
  const cut = hello({ bootId: 'boot 2', lastDurableIndex: 10 });
  const check = async (match: number, commit: number): Promise<string> => {
    const admission = await founded();
    admission.check(hello(), leader(0, 0));
    return admission.check(cut, leader(match, commit)).kind;
  };
  expect(await check(11, 11)).toBe('refused');
  expect(await check(11, 10), 'what was not committed may be lost').toBe('admitted');
  expect(await check(10, 20)).toBe('admitted');
});

test('a process that was refused for its log stays refused, whatever it connects next', async () => {
  const admission = await founded();
  admission.check(hello(), leader(0, 0));
  const cut = hello({ bootId: 'boot 2', lastDurableIndex: 5 });
  for (let i = 0; i < 3; i++) expect(admission.check(cut, leader(10, 10)).kind).toBe('refused');
  expect(admission.isAdmitted('b')).toBe(false);
});

test('what a handshake says is old by the time later acknowledgements are here: only a new process is judged by it', async () => {
  const admission = await founded();
  admission.check(hello(), leader(0, 0));
  expect(admission.check(hello({ lastDurableIndex: 10 }), leader(15, 15)).kind).toBe('admitted');
});

test('a late handshake of a process that was replaced changes nothing', async () => {
  const admission = await founded();
  admission.check(hello(), leader(0, 0));
  admission.check(hello({ bootId: 'boot 2', lastDurableIndex: 12 }), leader(0, 0));
  expect(admission.check(hello(), leader(12, 12))).toEqual({ kind: 'late' });
  expect(admission.isAdmitted('b')).toBe(true);
});

test.each<[string, Partial<Hello>]>([
  ['an empty directory', { bootId: 'stray', incarnation: 'another', clusterId: undefined }],
  ['another cluster', { bootId: 'stray', clusterId: 'theirs' }],
  ['an old copy', { bootId: 'stray', lastDurableIndex: 3 }],
])('a second process under the name, with %s, changes nothing for the first', async (_, parts) => {
  const admission = await founded();
  admission.check(hello(), leader(0, 0));
  const { incarnation, bootId } = hello(parts);
  expect(admission.refusal(hello(parts), leader(10, 10))).toMatchObject({ incarnation, bootId });
  expect(admission.isAdmitted('b')).toBe(true);
  expect(admission.check(hello(parts), leader(10, 10)).kind).toBe('refused');
  expect(admission.isAdmitted('b'), 'this process speaks now').toBe(false);
  expect(admission.check(hello(), leader(10, 10))).toEqual({ kind: 'admitted', restarted: false });
  expect(admission.isAdmitted('b')).toBe(true);
});
