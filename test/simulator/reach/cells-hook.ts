// A module loader's hook: counts the cells of raft's table of roles and events as they are reached, without raft knowing of
// it. Runs on the loader's thread, in processes that were started with instrument.ts.
import type { LoadHook } from 'node:module';

const file = '/raft/dist/core/role.js';

/** Where the counts are found: a `Counted`. */
export const countedName = 'holdfast.simulator.cells';

const call = '  cell(raft, own, event);';

/** The module of the table, which counts from now on. @throws Error when it is not written as it was */
export function counted(source: string): string {
  const parts = source.split(call);
  if (parts.length !== 2) throw new Error(`${file} does not hold exactly once: ${call}`);
  // On the same line, so that lines stay where they are.
  const count = ` { const name = own.role + ' ' + kind; counts.set(name, (counts.get(name) ?? 0) + 1); }`;
  const made = `const counts = new Map(); globalThis[Symbol.for('${countedName}')] = { table, impossible, counts };`;
  return `${parts.join(`${call}${count}`)}\n${made}\n`;
}

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  if (!url.endsWith(file)) return loaded;
  if (loaded.source === null || loaded.source === undefined) throw new Error(`${file} has no source`);
  const source =
    typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
  return { ...loaded, source: counted(source) };
};
