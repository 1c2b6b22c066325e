import { expect, test } from 'vitest';
import { decodePayload } from '../log/payload.ts';
import { driverBounds } from './bounds.ts';
import { GroupCommit } from './group-commit.ts';
import type { Outcome } from './outcome.ts';

const header = Buffer.from('stamp');
const settle = (): undefined => undefined;

function sizesOf(group: GroupCommit<number>): readonly number[] {
  const sizes: number[] = [];
  while (group.count > 0) {
    const next = group.next(header);
    sizes.push(decodePayload(next.payload).commands.length);
    expect(next.proposers).toHaveLength(sizes.at(-1) ?? 0);
    group.take(next);
  }
  return sizes;
}

test('what waits together becomes one entry, in its order, under the owner’s header', () => {
  const group = new GroupCommit<number>();
  for (const text of ['one', 'two', 'three']) group.add(Buffer.from(text), settle);
  const payload = decodePayload(group.next(header).payload);
  expect(Buffer.from(payload.header).toString()).toBe('stamp');
  expect(payload.commands.map((command) => Buffer.from(command).toString())).toEqual(['one', 'two', 'three']);
});

test('an entry holds at most 512 commands', () => {
  const group = new GroupCommit<number>();
  for (let i = 0; i < 1200; i++) group.add(Buffer.alloc(1), settle);
  expect(sizesOf(group)).toEqual([512, 512, 176]);
});

test('an entry holds at most 256 KiB of them, unless a single one is larger', () => {
  const group = new GroupCommit<number>();
  const half = driverBounds.maxEntryBytes / 2;
  for (const bytes of [half, half, 1, driverBounds.maxEntryBytes * 3, 1, 1]) group.add(Buffer.alloc(bytes), settle);
  expect(sizesOf(group)).toEqual([2, 1, 1, 2]);
});

test('what was not taken stays', () => {
  const group = new GroupCommit<number>();
  group.add(Buffer.alloc(1), settle);
  group.next(header);
  expect(group.count).toBe(1);
});

test('the queue is bounded in number and in bytes, and room comes back', () => {
  const many = new GroupCommit<number>();
  for (let i = 0; i < driverBounds.maxWaitingProposals; i++) expect(many.add(Buffer.alloc(0), settle)).toBeUndefined();
  expect(many.add(Buffer.alloc(0), settle)).toBe('maxWaitingProposals');

  const large = new GroupCommit<number>();
  const command = Buffer.alloc(driverBounds.maxWaitingBytes / 2);
  expect([large.add(command, settle), large.add(command, settle)]).toEqual([undefined, undefined]);
  expect(large.add(Buffer.alloc(1), settle)).toBe('maxWaitingBytes');
  large.take(large.next(header));
  expect(large.add(command, settle)).toBeUndefined();
});

test('everyone who waits is settled when nothing more can be appended', () => {
  const group = new GroupCommit<number>();
  const outcomes: Outcome<number>[] = [];
  for (let i = 0; i < 3; i++) group.add(Buffer.alloc(10), (outcome) => outcomes.push(outcome));
  group.settleAll({ kind: 'notApplied', reason: 'notLeader' });
  expect(outcomes).toHaveLength(3);
  expect(group.count).toBe(0);
});
