import { expect, test } from 'vitest';
import type { Configuration } from '../../core/membership/configuration.ts';
import { MemoryLog } from '../../log/memory-log.ts';
import { Members } from './members.ts';

const learner = (incarnation: string): Configuration => ({
  voters: [{ id: 'a', incarnation: '', address: '' }],
  learners: [{ id: 'd', incarnation, address: '' }],
});

test('of two configurations that stood at one index, one after the other, the later counts', () => {
  const members = new Members(new MemoryLog({ id: 'a', members: ['a'], random: () => 0.1 }), new Map());
  members.look({ configuration: learner('cut off'), configurationIndex: 5, commit: 4 });
  expect(members.all.get('d')?.incarnation).toBe('cut off');
  members.look({ configuration: learner('another'), configurationIndex: 5, commit: 4 });
  expect(members.all.get('d')?.incarnation).toBe('another');
});
