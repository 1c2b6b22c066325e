// What members say to each other beside the protocol of the log: formation, and why one of them is refused.
import { type FoundingRecord, recordFrom, type ToldMembers, toldFrom } from '../../log/founding.ts';
import { isRaftErrorCode, type RaftErrorCode } from '../../raft-error.ts';
import { isSnapshotKind, type SnapshotControl, snapshotControlFrom } from '../../snapshot/control.ts';
import { isObject, parseJson } from '../../untrusted-json.ts';

/** Where a member stands with formation. Everything in it is on its disk. */
export interface FormationState {
  readonly kind: 'formation';
  readonly incarnation: string;
  readonly record: FoundingRecord | undefined;
  readonly confirmed: boolean;
}

/** One process may not take part: the one that is named, whoever else hears this under its member's name. */
export interface Refusal {
  readonly kind: 'refusal';
  readonly incarnation: string;
  /** Undefined when all processes with this directory are meant. */
  readonly bootId: string | undefined;
  readonly code: RaftErrorCode;
  readonly detail: string;
}

/** Of a leader, to one that can not know yet who the members are: it waits to be taken in, or its log lags behind. */
export interface MembersTold extends ToldMembers {
  readonly kind: 'members';
  /** Of the directory that this is for. */
  readonly incarnation: string;
  readonly record: FoundingRecord;
}

/** Who is nobody here is not heard. It may know better: nothing follows from it. */
export interface Stranger {
  readonly kind: 'stranger';
}

/**
 * The committed configuration at `index` does not name this directory. If the directory was a member by an earlier entry,
 * it was removed; if it knows of a later one that names it, whoever says this lags behind.
 */
export interface NotNamed {
  readonly kind: 'notNamed';
  readonly incarnation: string;
  readonly index: number;
}

/** What the driver says. */
export type OfDriver = FormationState | Refusal | MembersTold | Stranger | NotNamed;
export type Control = OfDriver | SnapshotControl;

export function encodeControl(control: OfDriver): Uint8Array {
  return Buffer.from(JSON.stringify(control));
}

/** The message; 'unknown' for a kind that a newer build may know, 'broken' for what is none. */
export function decodeControl(bytes: Uint8Array): Control | 'unknown' | 'broken' {
  const value = parseJson(bytes);
  if (!isObject(value) || typeof value['kind'] !== 'string') return 'broken';
  if (value['kind'] === 'stranger') return { kind: 'stranger' };
  if (value['kind'] === 'members') return membersToldFrom(value) ?? 'broken';
  if (value['kind'] === 'notNamed') return notNamedFrom(value) ?? 'broken';
  if (value['kind'] === 'formation' || value['kind'] === 'refusal') return formationControlFrom(value) ?? 'broken';
  return isSnapshotKind(value['kind']) ? (snapshotControlFrom(value) ?? 'broken') : 'unknown';
}

function membersToldFrom(value: Readonly<Record<string, unknown>>): MembersTold | undefined {
  const { incarnation, record }: Readonly<Partial<Record<keyof MembersTold, unknown>>> = value;
  const told = toldFrom(value);
  const founding = recordFrom(record);
  if (typeof incarnation !== 'string' || told === undefined || founding === undefined) return undefined;
  return { kind: 'members', incarnation, record: founding, ...told };
}

function notNamedFrom(value: Readonly<Record<string, unknown>>): NotNamed | undefined {
  const { incarnation, index }: Readonly<Partial<Record<keyof NotNamed, unknown>>> = value;
  if (typeof incarnation !== 'string' || typeof index !== 'number') return undefined;
  return Number.isSafeInteger(index) && index >= 0 ? { kind: 'notNamed', incarnation, index } : undefined;
}

function formationControlFrom(value: Readonly<Record<string, unknown>>): FormationState | Refusal | undefined {
  if (value['kind'] === 'formation') {
    const { incarnation, record, confirmed }: Readonly<Partial<Record<keyof FormationState, unknown>>> = value;
    if (typeof incarnation !== 'string' || typeof confirmed !== 'boolean') return undefined;
    const founding = record === undefined ? undefined : recordFrom(record);
    if (founding === undefined && record !== undefined) return undefined;
    return { kind: 'formation', incarnation, record: founding, confirmed };
  }
  if (value['kind'] === 'refusal') {
    const { incarnation, bootId, code, detail }: Readonly<Partial<Record<keyof Refusal, unknown>>> = value;
    if (typeof incarnation !== 'string' || (bootId !== undefined && typeof bootId !== 'string')) return undefined;
    if (!isRaftErrorCode(code) || typeof detail !== 'string') return undefined;
    return { kind: 'refusal', incarnation, bootId, code, detail };
  }
  return undefined;
}
