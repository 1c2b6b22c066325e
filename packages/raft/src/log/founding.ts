// The founding record: who started this cluster, with which directories. Agreed on by all before the first election.
import { isNodeId } from '../core/membership/configuration.ts';
import type { NodeId } from '../core/message.ts';
import { isObject } from '../untrusted-json.ts';

export interface FoundingRecord {
  /** Drawn by the coordinator. */
  readonly clusterId: string;
  /** Every member, with what its directory drew when it was made: another incarnation is another directory. */
  readonly incarnations: Readonly<Record<NodeId, string>>;
}

export interface Founding {
  readonly record: FoundingRecord;
  /** Every listed member has stored exactly this record; until then it may be replaced. */
  readonly confirmed: boolean;
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
