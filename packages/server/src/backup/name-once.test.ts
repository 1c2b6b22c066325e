import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { link } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { nameOnce } from './name-once.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-name-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const says = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));

test.each([
  ['hard links', link],
  ['none (FAT)', says('EPERM')],
  ['none (a network share)', says('EOPNOTSUPP')],
])('with %s a name is given once, and to one of those who ask at once', async (what, linkFile) => {
  const path = join(folder, `${what}.backup`);
  const temporaries = ['one', 'two', 'three'].map((text) => {
    writeFileSync(join(folder, text), text);
    return join(folder, text);
  });
  const named = await Promise.all(temporaries.map((temporary) => nameOnce(temporary, path, linkFile)));
  expect(named.filter(Boolean)).toHaveLength(1);
  const winner = temporaries[named.indexOf(true)] ?? '';
  expect(join(folder, readFileSync(path, 'utf8'))).toBe(winner);
  expect(temporaries.filter((temporary) => existsSync(temporary))).toEqual(temporaries.filter((one) => one !== winner));
});

test('what else the file system says is passed on, and no name is given', async () => {
  writeFileSync(join(folder, 'file'), '');
  const before = readdirSync(folder);
  await expect(nameOnce(join(folder, 'file'), join(folder, 'other'), says('EIO'))).rejects.toThrow('EIO');
  await expect(nameOnce(join(folder, 'missing'), join(folder, 'other'))).rejects.toThrow('ENOENT');
  expect(readdirSync(folder)).toEqual(before);
});
