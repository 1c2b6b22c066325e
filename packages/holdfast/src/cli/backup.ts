// `holdfast backup | restore | verify`: the state of a cluster in a file, a new cluster from that file, and whether a file or
// the directory of a stopped node is what was written.
import { stat } from 'node:fs/promises';
import { routes } from '@holdfast/api';
import {
  keepBackup,
  parseConfig,
  restoreBackup,
  StartError,
  type VerifiedBackup,
  type VerifiedDirectory,
  verifyBackupFile,
  verifyDirectory,
} from '@holdfast/server';
import { askedForStream } from './ask.ts';
import { CommandError } from './command-error.ts';

/** @throws CommandError, BackupFault: then there is no such file */
export async function backup(path: string, { to }: { readonly to: string }): Promise<void> {
  const verified = await keepBackup(path, await askedForStream(to, routes.backup));
  say(`${path}\n${describe(verified)}`);
}

/** @throws BackupFault, StartError, RaftError: no node starts on the directory */
export async function restore(
  path: string,
  { dataDir, id }: { readonly dataDir: string; readonly id: string },
): Promise<void> {
  // An impossible name is refused as at a start, before anything is made.
  parseConfig({ id, dataDir });
  const { header, rows, epoch } = await restoreBackup({ path, dataDir, id, nowMs: Date.now() });
  say(`${counted(rows)} rows of ${at(header.createdMs)} restored to ${dataDir}, as epoch ${epoch}.`);
  say(`Start it: holdfast start --id ${id} --data-dir ${dataDir}. Others join it as in docs/members.md.`);
}

/** @returns whether nothing is wrong @throws BackupFault, StartError where it can not be walked to its end */
export async function verify(path: string): Promise<boolean> {
  const verified = await verifyPath(path);
  say('log' in verified ? describeDirectory(verified) : describe(verified));
  for (const fault of verified.faults) say(`WRONG  ${fault}`);
  say(verified.faults.length === 0 ? 'Nothing is wrong.' : `${verified.faults.length} faults.`);
  return verified.faults.length === 0;
}

async function verifyPath(path: string): Promise<VerifiedBackup | VerifiedDirectory> {
  const found = await stat(path).catch((error: unknown) => {
    throw new CommandError(`There is nothing to verify: ${error instanceof Error ? error.message : String(error)}.`);
  });
  if (!found.isDirectory()) return await verifyBackupFile(path);
  try {
    return await verifyDirectory(path);
  } catch (error) {
    if (!(error instanceof StartError) || error.code !== 'HF_DIRECTORY_FOREIGN') throw error;
    throw new CommandError(`${error.code}: ${path} is neither a backup nor the data directory of a node.`);
  }
}

function describe({ header, rows, bytes, base, isWhole }: VerifiedBackup): string {
  const { applied, clusterId, createdMs, epoch } = header;
  return `backup  of cluster ${clusterId}, epoch ${epoch}, taken at ${at(createdMs)}
${stateLines({ applied, activeVersion: header.activeVersion, stateHash: header.stateHash, rows, bytes, base, isWhole })}`;
}

function describeDirectory({ log, state }: VerifiedDirectory): string {
  const { id = 'nobody known', clusterId = 'none yet', generation, turn, term, firstIndex, lastIndex } = log;
  const lines = [
    `node    ${id}, of cluster ${clusterId}, term ${term}, generation ${generation}, turn ${turn}`,
    `log     ${lastIndex < firstIndex ? `nothing behind ${lastIndex}` : `${firstIndex} to ${lastIndex}`}: ${counted(log.entries)} sound entries, ${counted(log.bytes)} bytes`,
    ...(state === undefined ? [] : [stateLines(state)]),
  ];
  return lines.join('\n');
}

type State = Omit<NonNullable<VerifiedDirectory['state']>, 'epoch' | 'faults'>;

function stateLines({ applied, activeVersion, stateHash, rows, bytes, base, isWhole }: State): string {
  const sum = isWhole
    ? 'counted from the first row on'
    : `base ${base ?? 'none'}: equal on all members, if nothing is lost`;
  return `state   at index ${applied.index} of term ${applied.term}, version ${activeVersion}: ${counted(rows)} rows, ${counted(bytes)} bytes
hash    ${stateHash}, ${sum}`;
}

const counted = (count: number): string => count.toLocaleString('en-US');
const at = (ms: number): string => new Date(ms).toISOString();
const say = (text: string): void => void process.stdout.write(`${text}\n`);
