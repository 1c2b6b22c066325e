import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type FileSeen, readHistory, type Sent } from './operations.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-operations-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hex = (text: string) => [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
const file = (fd: number, name: string) => `${fd}<${hex(name)}>`;
const opening = (name: string, fd: number) =>
  `7 1.5 openat(AT_FDCWD<${hex('/')}>, "${hex(name)}", O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC, 0644) = ${file(fd, name)}`;

function read(lines: readonly string[], left: readonly FileSeen[]) {
  const trace = join(folder, 'trace');
  writeFileSync(trace, `${lines.join('\n')}\n`);
  const sent: Sent[] = [];
  const { operations } = readHistory('/d', [{ trace, left }], (bytes) => sent.push(bytes));
  return { sent, operations: operations.map(({ action, begin, end }) => ({ ...action, begin, end })) };
}

test('calls of threads that overlap have their own beginning and end, and writes follow each other in the file', () => {
  const { operations } = read(
    [
      opening('/d/1.log', 9),
      `7 1.6 write(${file(9, '/d/1.log')}, "${hex('ab')}", 2) = 2`,
      `8 1.7 fdatasync(${file(9, '/d/1.log')} <unfinished ...>`,
      `7 1.8 write(${file(9, '/d/1.log')}, "${hex('cd')}", 2 <unfinished ...>`,
      '8 1.9 <... fdatasync resumed>)            = 0',
      '7 2.0 <... write resumed>) = 1',
      '7 2.1 +++ killed by SIGKILL +++',
    ],
    [{ path: '1.log', bytes: 3 }],
  );
  expect(operations).toEqual([
    { kind: 'create', path: '1.log', file: 1, begin: 0, end: 0 },
    { kind: 'write', file: 1, offset: 0, data: Buffer.from('ab'), begin: 1, end: 1 },
    { kind: 'sync', file: 1, begin: 2, end: 4 },
    { kind: 'write', file: 1, offset: 2, data: Buffer.from('c'), begin: 3, end: 5 },
  ]);
});

test('what was under way when the process was killed: a write as far as the file has it, a sync not at all', () => {
  const { operations } = read(
    [
      opening('/d/1.log', 9),
      `7 1.6 write(${file(9, '/d/1.log')}, "${hex('abcd')}", 4 <unfinished ...>`,
      `8 1.7 fdatasync(${file(9, '/d/1.log')} <unfinished ...>`,
      '7 1.8 <... write resumed>) = ?',
      `9 1.9 fdatasync(${file(9, '/d/1.log')} <detached ...>`,
    ],
    [{ path: '1.log', bytes: 3 }],
  );
  expect(operations.map(({ kind }) => kind)).toEqual(['create', 'write']);
  expect(operations[1]).toMatchObject({ data: Buffer.from('abc') });
});

test('bytes on a socket are heard with the place from which on they may have left', () => {
  const { sent } = read(['7 1.5 write(24<TCP:[127.0.0.1:1->127.0.0.1:2]>, "\\x41\\x42", 2) = 1'], []);
  expect(sent).toEqual([{ connection: '127.0.0.1:1->127.0.0.1:2', data: Buffer.from('A'), begin: 0, atMs: 1_500 }]);
});

test.each([
  ['a call that the reader does not know', `7 1.6 fallocate(${file(9, '/d/1.log')}, 0, 0, 4096) = 0`],
  ['a sync that failed', `7 1.6 fdatasync(${file(9, '/d/1.log')}) = -1 EIO (Input/output error)`],
  [
    'a mapping that can be written',
    `7 1.6 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, ${file(9, '/d/1.log')}, 0) = 0x7f`,
  ],
  ['a string that was cut', `7 1.6 write(${file(9, '/d/1.log')}, "${hex('ab')}"..., 200) = 200`],
])('%s ends the reading', (_, line) => {
  expect(() => read([opening('/d/1.log', 9), line], [{ path: '1.log', bytes: 0 }])).toThrow();
});

test('a directory that holds other files than the record says ends the reading', () => {
  expect(() => read([opening('/d/1.log', 9)], [])).toThrow('1.log');
});
