import { expect, test } from 'vitest';
import { type Configuration, encodeConfiguration } from '../../core/membership/configuration.ts';
import { MemoryLog } from '../../log/memory-log.ts';
import { Members } from './members.ts';

const learner = (incarnation: string): Configuration => ({
  voters: [{ id: 'a', incarnation: '', address: '' }],
  learners: [{ id: 'd', incarnation, address: '' }],
});

test('of two configurations that stood at one index, one after the other, the later counts', () => {
  const members = new Members(new MemoryLog({ id: 'a', members: ['a'], random: () => 0.1 }), new Map());
  members.look({
    configuration: learner('cut off'),
    configurationIndex: 5,
    commit: 4,
    committedConfiguration: undefined,
  });
  expect(members.all.get('d')?.incarnation).toBe('cut off');
  members.look({
    configuration: learner('another'),
    configurationIndex: 5,
    commit: 4,
    committedConfiguration: undefined,
  });
  expect(members.all.get('d')?.incarnation).toBe('another');
});

test('what is told is what the core has committed, not what still stands on the disk at that index', () => {
  const log = new MemoryLog({ id: 'a', members: ['a'], random: () => 0.1 });
  const configurations = [{ index: 5, configuration: encodeConfiguration(learner('cut off')) }];
  const members = new Members(Object.defineProperty(log, 'configurations', { value: configurations }), new Map());
  // Another entry 5 is committed, and 6 is the newest that says who they are; neither is on the disk.
  const status = { configuration: learner('another'), configurationIndex: 6, commit: 5 };
  const founding = { index: 0, configuration: { ...learner(''), learners: [] } };
  members.look({ ...status, committedConfiguration: founding });
  expect(members.certain).toBeUndefined();
  const committed = { index: 6, configuration: status.configuration };
  members.look({ ...status, commit: 6, committedConfiguration: committed });
  expect(members.certain).toMatchObject({ index: 6, members: [{ id: 'a' }, { id: 'd', incarnation: 'another' }] });
});
