// What the two ends of a connection say before anything else: a greeting, and a welcome or a refusal. As JSON, since it
// is rare, bounded before it is parsed, and must still be understood by the versions to come.
import type { NodeId } from '../core/message.ts';
import { isListOfText, isObject, parseJson } from '../untrusted-json.ts';
import type { Hello } from './transport.ts';

/** The only one so far; each side names what it speaks. */
export const protocolVersion = 1;
export const maxHandshakeBytes = 16 * 2 ** 10;

/** Heartbeats, votes and acknowledgements must not stand behind a megabyte of entries. */
export type LaneName = 'control' | 'bulk';

export interface Greeting {
  readonly version: number;
  readonly lane: LaneName;
  /** Whom the sender believes to be at this address. */
  readonly to: NodeId;
  readonly hello: Hello;
}

export interface Welcome {
  readonly version: number;
  readonly hello: Hello;
}

type Untrusted<T> = Readonly<Partial<Record<keyof T, unknown>>>;

export type RefusalReason = 'version' | 'wrongReceiver' | 'unknownMember';

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
  const hello = helloFrom(untrusted);
  return typeof version === 'number' && hello !== undefined ? { version, hello } : undefined;
}

function helloFrom(value: unknown): Hello | undefined {
  if (!isObject(value)) return undefined;
  const { clusterId, id, members, incarnation, bootId, lastDurableIndex }: Untrusted<Hello> = value;
  if (clusterId !== undefined && typeof clusterId !== 'string') return undefined;
  if (typeof id !== 'string' || typeof incarnation !== 'string' || typeof bootId !== 'string') return undefined;
  if (!isListOfText(members)) return undefined;
  if (typeof lastDurableIndex !== 'number' || !Number.isSafeInteger(lastDurableIndex) || lastDurableIndex < 0)
    return undefined;
  return { clusterId, id, members, incarnation, bootId, lastDurableIndex };
}
