// Whoever uses raft alone sees its types in an editor, where the comment at the head of a file does not show: what is
// exported says at its declaration what it is.
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './sources.ts';

const raft = 'packages/raft';
const exportsOf: Readonly<Record<string, Readonly<Record<string, string>>>> = JSON.parse(
  readFileSync(join(root, raft, 'package.json'), 'utf8'),
).exports;
const entries = Object.values(exportsOf).map((conditions) => posix.join(raft, conditions['@holdfast/source'] ?? ''));

type Read = (file: string) => string | undefined;
const ofProject: Read = (file) => (existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : undefined);

/** Every name that an entry hands on, and the file that it says has it. */
function exportedBy(entry: string, text: string): readonly { readonly name: string; readonly file: string }[] {
  return [...text.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)';$/gm)].flatMap(([, names = '', from = '']) =>
    names
      .split(',')
      .map((name) => name.trim().replace(/^type /, ''))
      .filter((name) => name !== '')
      .map((name) => ({ name, file: posix.join(posix.dirname(entry), from) })),
  );
}

/** An entry only hands on: another form of export would not be looked at. */
function strangeLines(entry: string, text: string): readonly string[] {
  const rest = text.replace(/^export (?:type )?\{[^}]*\} from '[^']+';$/gm, '').replace(/^\/\/.*$/gm, '');
  return rest.trim() === '' ? [] : [`${entry} does more than hand on: ${rest.trim()}`];
}

function faultOf(name: string, file: string, read: Read): string | undefined {
  const text = read(file);
  const kinds = '(?:abstract class|class|interface|type|const|function|async function)';
  const declaration = new RegExp(`^export ${kinds} ${name}\\b`, 'm');
  const at = text?.search(declaration) ?? -1;
  if (text === undefined || at === -1) return `${name} is not declared in ${file}`;
  const comment = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n$/.exec(text.slice(0, at))?.[0] ?? '';
  return /[A-Za-z]{2}/.test(comment) ? undefined : `${name} says nothing in ${file}`;
}

function faultsOf(entry: string, read: Read): readonly string[] {
  const text = read(entry) ?? '';
  const faults = exportedBy(entry, text).map(({ name, file }) => faultOf(name, file, read));
  return [...strangeLines(entry, text), ...faults.filter((fault) => fault !== undefined)];
}

test.each(entries)('everything that %s exports says at its declaration what it is', (entry) => {
  expect(exportedBy(entry, ofProject(entry) ?? '').length).toBeGreaterThan(8);
  expect(faultsOf(entry, ofProject)).toEqual([]);
});

test('raft has the entries that are looked at', () => {
  expect(entries).toEqual(['index', 'core', 'conformance'].map((name) => expect.stringContaining(`src/${name}`)));
});

test('what says nothing, or is not where the entry says, is found', () => {
  const files: Readonly<Record<string, string>> = {
    'x/index.ts':
      "export { said, type Unsaid } from './a.ts';\nexport type { Gone, Above } from './b.ts';\nexport * from './c.ts';\n",
    'x/a.ts': '/** It does. */\nexport function said() {}\n\nexport interface Unsaid {}\n',
    'x/b.ts': '/** Of something else. */\nconst other = 1;\n\nexport type Above = string;\n',
  };
  expect(faultsOf('x/index.ts', (file) => files[file])).toEqual([
    "x/index.ts does more than hand on: export * from './c.ts';",
    'Unsaid says nothing in x/a.ts',
    'Gone is not declared in x/b.ts',
    'Above says nothing in x/b.ts',
  ]);
});
