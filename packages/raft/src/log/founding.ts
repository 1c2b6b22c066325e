// What is agreed on by all before the first election, and what a node is told that comes later.
import { type ConfigMember, isMember, isNodeId } from '../core/membership/configuration.ts';
import type { NodeId } from '../core/message.ts';
import { isObject } from '../untrusted-json.ts';

/** Who started this cluster, with which directories. */
export interface FoundingRecord {
  /** Drawn by the coordinator. */
  readonly clusterId: string;
  /** Every member, with what its directory drew when it was made: another incarnation is another directory. */
  readonly incarnations: Readonly<Record<NodeId, string>>;
}

/** What a directory knows of the cluster that it belongs to. Plain data: as JSON it stays what it is. */
export interface Founding {
  readonly record: FoundingRecord;
  /** Every listed member has stored exactly this record; until then it may be replaced. */
  readonly confirmed: boolean;
  /** Of a node that was taken in by a running cluster: what it was told then. */
  readonly joined?: ToldMembers;
}

/** Who the members are, voters and learners, as a leader says it to one whose log does not say so yet. */
export interface ToldMembers {
  /** The entry that says so. */
  readonly index: number;
  readonly members: readonly ConfigMember[];
}

/** What was told in parsed JSON, or undefined when it is nothing of that kind. */
export function toldFrom(value: unknown): ToldMembers | undefined {
  if (!isObject(value)) return undefined;
  const { index, members }: Readonly<Partial<Record<keyof ToldMembers, unknown>>> = value;
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0 || !Array.isArray(members))
    return undefined;
  const said = members.map(memberFrom);
  return said.every((member) => member !== undefined) ? { index, members: said } : undefined;
}

function memberFrom(value: unknown): ConfigMember | undefined {
  if (!isObject(value)) return undefined;
  const { id, incarnation, address }: Readonly<Partial<Record<keyof ConfigMember, unknown>>> = value;
  if (typeof id !== 'string' || typeof incarnation !== 'string' || typeof address !== 'string') return undefined;
  const member = { id, incarnation, address };
  return isMember(member) ? member : undefined;
}

/** 128 bits as hexadecimal digits. */
export function drawToken(random: () => number): string {
  let token = '';
  for (let i = 0; i < 4; i++)
    token += Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return token;
}

/** The same text for the same record on every member. */
function canonicalRecord(record: FoundingRecord): string {
  const incarnations = Object.entries(record.incarnations).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([record.clusterId, incarnations]);
}

export function sameRecord(a: FoundingRecord, b: FoundingRecord): boolean {
  return canonicalRecord(a) === canonicalRecord(b);
}

/** The record in parsed JSON, or undefined when it holds none. */
export function recordFrom(value: unknown): FoundingRecord | undefined {
  if (!isObject(value) || typeof value['clusterId'] !== 'string' || !isObject(value['incarnations'])) return undefined;
  const incarnations: Record<NodeId, string> = {};
  for (const [id, incarnation] of Object.entries(value['incarnations'])) {
    if (typeof incarnation !== 'string' || !isNodeId(id)) return undefined;
    incarnations[id] = incarnation;
  }
  return { clusterId: value['clusterId'], incarnations };
}
