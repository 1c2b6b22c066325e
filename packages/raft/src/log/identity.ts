// A directory is one member for life. A member that comes back with another directory may have forgotten a vote or an
// acknowledgement, so who it is stands in the directory itself and not in its configuration.
import { strict as assert } from 'node:assert';
import { crc32 } from 'node:zlib';
import { maxMembers } from '../core/bounds.ts';
import { isNodeId } from '../core/membership/configuration.ts';
import type { NodeId } from '../core/message.ts';
import { RaftError } from '../raft-error.ts';
import { isListOfText, isObject, parseJson } from '../untrusted-json.ts';
import { drawToken, type Founding, recordFrom, toldFrom } from './founding.ts';

/** Whose directory this is, as it says itself. Plain data: as JSON it stays what it is. */
export interface Identity {
  readonly id: NodeId;
  /** Who founds the cluster, in order; nobody where a running cluster is to take this node in. */
  readonly members: readonly NodeId[];
  /** Drawn when the directory was made. */
  readonly incarnation: string;
  /** Undefined until this member has heard of a founding record. */
  readonly founding: Founding | undefined;
}

/** Whose log it is to be. */
export interface Membership {
  readonly id: NodeId;
  /** Who founds the cluster; empty for a node that is to be taken in by a running one. */
  readonly members: readonly NodeId[];
}

/** The members that founded the cluster; nobody while this node waits to be taken in. */
export function foundersOf({ members, founding }: Identity): readonly NodeId[] {
  if (members.length > 0 || founding === undefined) return members;
  return Object.keys(founding.record.incarnations).sort();
}

/** It belongs to no cluster yet, and founds none. */
export function isWaiting({ members, founding }: Identity): boolean {
  return members.length === 0 && founding === undefined;
}

function checkNames({ id, members }: Membership): void {
  const wrong = [id, ...members].find((name) => !isNodeId(name));
  if (wrong === undefined) return;
  const rule = '1 to 64 letters, digits, ".", "_" and "-", a letter or a digit in front';
  throw new RangeError(`"${wrong}" can not be the name of a member: ${rule}.`);
}

/**
 * For a new, empty log: draws its incarnation. To be stored before the log is used, and never drawn again for that directory.
 * @param random uniform in [0, 1)
 * @throws RangeError where a name is none that a member can have, or is there twice, or where there are more than 32 members
 * @throws AssertionError where `members` names others, and not `id`
 */
export function newIdentity({ id, members }: Membership, random: () => number): Identity {
  checkNames({ id, members });
  // A majority of names of which one is there twice may never come about; and no configuration entry can hold more members.
  const twice = members.find((name, index) => members.indexOf(name) !== index);
  if (twice !== undefined) throw new RangeError(`"${twice}" is named twice among the members.`);
  if (members.length > maxMembers)
    throw new RangeError(`${members.length} members are too many: at most ${maxMembers}.`);
  assert(members.length === 0 || members.includes(id), `${id} is not among the members`);
  return { id, members: [...members].sort(), incarnation: drawToken(random), founding: undefined };
}

/**
 * @throws RaftError HF_WRONG_MEMBER, HF_WRONG_CLUSTER when the directory is not the one of this member of this cluster
 * @throws RangeError where a name could be none of a member
 */
export function checkIdentity(identity: Identity, expected: Membership): void {
  checkNames(expected);
  if (identity.id !== expected.id) {
    throw new RaftError('HF_WRONG_MEMBER', `It is ${identity.id}'s, and ${expected.id} was started on it.`, {
      found: identity.id,
      expected: expected.id,
    });
  }
  // What stands in the directory counts: who was founded need not wait, and who was taken in founds nothing.
  const isFounded = identity.founding?.confirmed === true;
  if (isFounded && (expected.members.length === 0 || identity.members.length === 0)) return;
  const found = identity.members.join(',');
  const wanted = [...expected.members].sort().join(',');
  if (found !== wanted) {
    const names = (list: string): string => (list === '' ? 'nobody, as it waits to be taken in' : list);
    const detail = `Its members are ${names(found)}, and the configuration names ${names(wanted)}.`;
    throw new RaftError('HF_WRONG_CLUSTER', detail, { found, expected: wanted });
  }
}

//   offset  bytes  field
//   0       1      format, 1
//   1       4      CRC-32 of what follows
//   5              the identity as JSON
const format = 1;
const headBytes = 5;

export function encodeIdentity(identity: Identity): Uint8Array {
  const json = Buffer.from(JSON.stringify(identity));
  const bytes = Buffer.allocUnsafe(headBytes + json.length);
  bytes.writeUInt8(format, 0);
  bytes.writeUInt32BE(crc32(json), 1);
  bytes.set(json, headBytes);
  return bytes;
}

/**
 * @throws RaftError HF_LOG_CORRUPT, HF_LOG_FORMAT
 */
export function decodeIdentity(raw: Uint8Array): Identity {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const json = bytes.subarray(headBytes);
  if (bytes.length < headBytes || bytes.readUInt32BE(1) !== crc32(json)) throw damaged('its checksum differs');
  if (bytes.readUInt8(0) !== format) {
    throw new RaftError(
      'HF_LOG_FORMAT',
      `The row of identity has format ${bytes.readUInt8(0)}, this version knows ${format}.`,
    );
  }
  const identity = identityFrom(parseJson(json));
  if (identity === undefined) throw damaged('a field is missing');
  return identity;
}

function identityFrom(value: unknown): Identity | undefined {
  if (!isObject(value)) return undefined;
  const { id, members, incarnation, founding }: Readonly<Partial<Record<keyof Identity, unknown>>> = value;
  if (typeof id !== 'string' || typeof incarnation !== 'string') return undefined;
  if (!isListOfText(members)) return undefined;
  if (founding === undefined) return { id, members, incarnation, founding: undefined };
  const record = isObject(founding) ? recordFrom(founding['record']) : undefined;
  if (!isObject(founding) || record === undefined || typeof founding['confirmed'] !== 'boolean') return undefined;
  const confirmed = founding['confirmed'];
  if (founding['joined'] === undefined) return { id, members, incarnation, founding: { record, confirmed } };
  const joined = toldFrom(founding['joined']);
  return joined === undefined ? undefined : { id, members, incarnation, founding: { record, confirmed, joined } };
}

function damaged(what: string): RaftError {
  return new RaftError('HF_LOG_CORRUPT', `The row that says whose directory this is is damaged: ${what}.`);
}
