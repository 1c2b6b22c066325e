// The simulator, bundled with the sources of the product, of which one guard has been taken out.
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { type Removal, takeOut } from './guard.ts';

/**
 * @param root of the repository
 * @param folder for the bundle
 * @returns the bundle
 * @throws when the guard can not be taken out
 */
export async function buildMutant(guard: Removal, root: string, folder: string): Promise<string> {
  const changed = new Map(guard.changes.map(({ file }) => [join(root, file), file]));
  const file = join(folder, `${guard.name}.mjs`);
  const built = await rolldown({
    input: join(root, 'test/simulator/main.ts'),
    platform: 'node',
    resolve: { conditionNames: ['@holdfast/source', 'node', 'import', 'default'] },
    external: (id: string) => !id.startsWith('.') && !id.startsWith('/') && !id.startsWith('@holdfast/'),
    plugins: [
      {
        name: 'take-out',
        transform(source: string, path: string) {
          const ours = changed.get(path);
          if (ours === undefined) return source;
          changed.delete(path);
          return takeOut(guard, ours, source);
        },
      },
    ],
  });
  await built.write({ file, format: 'esm' });
  await built.close();
  for (const missing of changed.values()) throw new Error(`${guard.name}: ${missing} is no part of the simulator`);
  return file;
}
