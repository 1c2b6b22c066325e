// What the two ends of a connection say before anything else: a greeting, and a welcome or a refusal. As JSON, since it
// is rare, bounded before it is parsed, and must still be understood by the versions to come.
import { isNodeId } from '../core/membership/configuration.ts';
import type { NodeId } from '../core/message.ts';
import { isListOfText, isObject, parseJson } from '../untrusted-json.ts';
import { type ProtocolVersion, protocolVersions } from '../versions.ts';
import type { Hello } from './transport.ts';

/** All that a stranger may send at once; a greeting of 32 members with long names fits. */
export const maxHandshakeBytes = 4 * 2 ** 10;

/** Heartbeats, votes and acknowledgements must not stand behind a megabyte of entries. */
export type LaneName = 'control' | 'bulk';

export interface Greeting {
  /** The lowest that the sender accepts. */
  readonly version: number;
  readonly lane: LaneName;
  /** Whom the sender believes to be at this address. */
  readonly to: NodeId;
  readonly hello: Hello;
}

export interface Welcome {
  /** Of this connection, from here on. */
  readonly version: number;
  readonly hello: Hello;
}

type Untrusted<T> = Readonly<Partial<Record<keyof T, unknown>>>;

/** The highest that both speak, and this build knows. */
export function agreedVersion(ours: readonly number[], theirs: readonly number[]): ProtocolVersion | undefined {
  return protocolVersions.findLast((version) => ours.includes(version) && theirs.includes(version));
}

/** Why a member does not take a connection: sent to the other end, counted, and said to who operates this one. */
export const refusals = {
  version: 'it speaks no version of the protocol that is accepted here any more: it needs a newer build',
  newer: 'it speaks only versions of the protocol that this build does not know: this member needs a newer build',
  wrongReceiver: 'it looked for another member at this address: the lists of members differ',
  unknownMember: 'no member has its name: the lists of members differ',
  security: 'it connects in another way than this member asks for: a secret, certificates, or neither',
  secret: 'it does not know the secret',
  certificate: 'its certificate names another member',
} as const;

export type RefusalReason = keyof typeof refusals;

export function encodeHandshake(value: Greeting | Welcome | { readonly reason: RefusalReason }): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** The greeting, or undefined when the bytes hold none. */
export function decodeGreeting(body: Buffer): Greeting | undefined {
  const value = parseJson(body);
  if (!isObject(value)) return undefined;
  const { lane, to }: Untrusted<Greeting> = value;
  const welcome = welcomeFrom(value);
  if (welcome === undefined || typeof to !== 'string' || (lane !== 'control' && lane !== 'bulk')) return undefined;
  return { ...welcome, to, lane };
}

export function decodeWelcome(body: Buffer): Welcome | undefined {
  return welcomeFrom(parseJson(body));
}

function welcomeFrom(value: unknown): Welcome | undefined {
  if (!isObject(value)) return undefined;
  const { version, hello: untrusted }: Untrusted<Welcome> = value;
  if (!isVersion(version)) return undefined;
  const hello = helloFrom(untrusted, version);
  return hello === undefined ? undefined : { version, hello };
}

function helloFrom(value: unknown, onlyVersion: number): Hello | undefined {
  if (!isObject(value)) return undefined;
  const { clusterId, id, members, incarnation, bootId, lastDurableIndex, versions }: Untrusted<Hello> = value;
  if (clusterId !== undefined && typeof clusterId !== 'string') return undefined;
  if (typeof id !== 'string' || typeof incarnation !== 'string' || typeof bootId !== 'string') return undefined;
  if (!isNodeId(id)) return undefined;
  if (!isListOfText(members)) return undefined;
  if (typeof lastDurableIndex !== 'number' || !Number.isSafeInteger(lastDurableIndex) || lastDurableIndex < 0)
    return undefined;
  const spoken = versions === undefined ? [onlyVersion] : versionsFrom(versions);
  if (spoken === undefined) return undefined;
  return { clusterId, id, members, incarnation, bootId, lastDurableIndex, versions: spoken };
}

function versionsFrom(value: unknown): readonly number[] | undefined {
  return Array.isArray(value) && value.length > 0 && value.every(isVersion) ? value : undefined;
}

function isVersion(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}
