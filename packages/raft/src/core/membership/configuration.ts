// Who belongs to the cluster, as an entry of the log says it. A configuration is always said whole: there is nothing to be
// added up, and nothing that could be added up differently.
import { maxMembers } from '../bounds.ts';
import type { NodeId } from '../message.ts';

/** A member as an entry of the log names it (thesis 4.1). Texts have at most 256 characters: UTF-16 units, not bytes. */
export interface ConfigMember {
  readonly id: NodeId;
  /** Which directory this member is: one that was wiped is another. */
  readonly incarnation: string;
  /** How others reach it, empty where nothing is known. Raft does not read it. */
  readonly address: string;
}

/** Voters elect and commit; learners only receive (thesis 4.2.1). At most 32 members in all, and nobody is listed twice. */
export interface Configuration {
  readonly voters: readonly ConfigMember[];
  readonly learners: readonly ConfigMember[];
}

const format = 1;
const maxTextLength = 256;
const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** JSON, so that an operator can read it: {"format":1,"voters":[[id, incarnation, address], ...],"learners":[...]}. */
export function encodeConfiguration({ voters, learners }: Configuration): Uint8Array {
  const rowOf = ({ id, incarnation, address }: ConfigMember): readonly string[] => [id, incarnation, address];
  return new TextEncoder().encode(JSON.stringify({ format, voters: voters.map(rowOf), learners: learners.map(rowOf) }));
}

/** Undefined when these bytes are no configuration that a cluster can have. */
export function decodeConfiguration(bytes: Uint8Array): Configuration | undefined {
  const value = parse(bytes);
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== format) return undefined;
  const voters = 'voters' in value ? membersFrom(value.voters) : undefined;
  const learners = 'learners' in value ? membersFrom(value.learners) : undefined;
  if (voters === undefined || learners === undefined || voters.length === 0) return undefined;
  const ids = [...voters, ...learners].map((member) => member.id);
  return ids.length <= maxMembers && new Set(ids).size === ids.length ? { voters, learners } : undefined;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function membersFrom(value: unknown): readonly ConfigMember[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const members = value.map(memberFrom);
  return members.every((member) => member !== undefined) ? members : undefined;
}

function memberFrom(row: unknown): ConfigMember | undefined {
  if (!Array.isArray(row) || row.length !== 3) return undefined;
  const texts: readonly unknown[] = row;
  const [id, incarnation, address] = texts;
  if (typeof id !== 'string' || typeof incarnation !== 'string' || typeof address !== 'string') return undefined;
  const member = { id, incarnation, address };
  return isMember(member) ? member : undefined;
}

/** Could a member be called so? Never "__proto__", which an object that is read from JSON would not keep. */
export function isNodeId(id: string): boolean {
  return idPattern.test(id);
}

/** Could this be a member: a name, and texts that are not too long? */
export function isMember({ id, incarnation, address }: ConfigMember): boolean {
  return isNodeId(id) && incarnation.length <= maxTextLength && address.length <= maxTextLength;
}
