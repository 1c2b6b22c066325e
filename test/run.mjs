// Runs a program of /test from its TypeScript: bundles it with the sources of all packages, and starts it.
//   node test/run.mjs simulator/main.ts --seeds 100
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const here = dirname(fileURLToPath(import.meta.url));

/**
 * @param entry relative to /test
 * @param file where to write
 * @param transform changes the text of a source: (text, path) => text
 */
export async function bundle(entry, file, transform) {
  const built = await rolldown({
    input: join(here, entry),
    platform: 'node',
    resolve: { conditionNames: ['@holdfast/source', 'node', 'import', 'default'] },
    external: (id) => !id.startsWith('.') && !id.startsWith('/') && !id.startsWith('@holdfast/'),
    plugins: transform ? [{ name: 'change', transform: (text, path) => transform(text, path) }] : [],
  });
  await built.write({ file, format: 'esm', sourcemap: true });
  await built.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [entry, ...rest] = process.argv.slice(2);
  const file = join(here, 'dist', `${entry.replace(/\.ts$/, '').replaceAll('/', '-')}.mjs`);
  await bundle(entry, file);
  const child = spawn(process.execPath, ['--enable-source-maps', file, ...rest], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => process.exit(code ?? 1));
}
