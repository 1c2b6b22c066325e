import { RaftError } from '@holdfast/raft';
import { CorruptRow } from '@holdfast/store';
import { expect, test } from 'vitest';
import { StartError } from '../start-error.ts';
import { directoryFault, isDirectoryFault } from './directory-fault.ts';

const level = (message: string, code?: string) => Object.assign(new Error(message), code === undefined ? {} : { code });
const corrupt = level('Corruption: corrupted compressed block contents', 'LEVEL_CORRUPTION');
const failedWrite = (cause: Error) => new RaftError('HF_WRITE_FAILED', cause.message, {}, { cause });

test.each<[string, Error, string]>([
  ['a row that is not what was written', new CorruptRow(Buffer.from('key'), 'its checksum differs'), 'DAMAGED'],
  ['a block that can not be read', corrupt, 'DAMAGED'],
  ['a table that is gone', level('IO error: /d/000005.ldb: No such file or directory', 'LEVEL_IO_ERROR'), 'DAMAGED'],
  ['the same from a read that does not wait', level('IO error: /d/000005.ldb: No such file or directory'), 'DAMAGED'],
  ['a disk that does not answer', level('IO error: /d/000005.ldb: Input/output error'), 'UNREADABLE'],
])('%s: stops the node with a code of its own', (_, error, code) => {
  expect(isDirectoryFault(error)).toBe(true);
  const fault = directoryFault('/d', error);
  expect(fault).toMatchObject({ code: `HF_DIRECTORY_${code}`, cause: error });
  expect(fault.message).toContain(`/d: ${error.message}.`);
});

test('what a write or an entry met on its way is damage as well', () => {
  for (const error of [failedWrite(corrupt), failedWrite(new CorruptRow(Buffer.from('key'), 'is short'))])
    expect(directoryFault('/d', error)).toMatchObject({ code: 'HF_DIRECTORY_DAMAGED', cause: error });
});

test('what has its code keeps it, and what is not of the directory stays what it is', () => {
  const damaged = new StartError('HF_DIRECTORY_DAMAGED', '/d: cut.', { cause: corrupt });
  const full = failedWrite(level('IO error: /d/000005.log: Input/output error', 'LEVEL_IO_ERROR'));
  const bug = new TypeError('x is not a function');
  for (const error of [damaged, full, bug]) expect(directoryFault('/d', error)).toBe(error);
  expect(isDirectoryFault(bug)).toBe(false);
});
