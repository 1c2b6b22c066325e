// The product's sources, as the rules of the house read them.
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top folder; the same from test/tidy and from test/dist/tidy. */
export const root = fileURLToPath(
  new URL(import.meta.url.includes('/dist/') ? '../../../' : '../../', import.meta.url),
);

export interface Source {
  /** Below the top folder, with forward slashes: packages/raft/src/core/core.ts. */
  readonly file: string;
  readonly text: string;
}

/** Every file below `folder` whose name matches; build output and dependencies excepted. */
export function filesBelow(folder: string, form: RegExp): readonly Source[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file.replaceAll(sep, '/')}`)
    .filter((file) => form.test(file) && !/(?:^|\/)(?:node_modules|dist)\//.test(file))
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
}

export const productSources = (): readonly Source[] =>
  filesBelow('packages', /^packages\/\w+\/src\/.*\.ts$/).filter(({ file }) => !file.endsWith('.test.ts'));

/** The text without comments, and with every string empty: what is left are the program's own words. */
export function withoutCommentsAndStrings(text: string): string {
  return text.replace(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g,
    (match) => (match.startsWith('/') ? ' ' : "''"),
  );
}
