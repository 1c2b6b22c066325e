// Payloads on their way in and out: any JSON value, or raw bytes; checked by a schema when the topic has one.
import { bounds, HoldfastError, jsonContentType } from '@holdfast/api';

/**
 * The part of Standard Schema V1 (standardschema.dev) that is used here: zod, valibot, arktype and others have it.
 * A message is stored as it was given and checked again when it is received, so a schema that transforms must take what
 * JSON makes of its input (a date comes back as text).
 */
export interface StandardSchema<Input, Output> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A body as it travels: always bytes, so that every carrier carries the same, and no node takes JSON apart. */
export interface EncodedPayload {
  readonly bodyBytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** A body as an answer has it: bytes from msgpack and in one process, the others from JSON. */
export interface BodyFields {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly bodyBase64?: string | undefined;
  readonly bodyBytes?: Uint8Array | undefined;
}

export interface PayloadCodec<Input, Output> {
  /** @throws HoldfastError HF_INVALID_REQUEST when it does not fit the schema, or JSON can not hold it */
  encode(payload: Input, headers: Readonly<Record<string, string>>): Promise<EncodedPayload>;
  /** @throws HoldfastError HF_INVALID_REQUEST when it does not fit the schema, or is not the JSON that its header says */
  decode(fields: BodyFields): Promise<Output>;
}

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { fatal: true });

/** Any JSON value or bytes; `Payload` is a promise of the caller that nothing checks. */
export function uncheckedPayload<Payload>(): PayloadCodec<Payload, Payload> {
  return {
    encode: async (payload, headers) => encoded(payload, headers),
    decode: async (fields) => decodedBody(fields),
  };
}

export function checkedPayload<Input, Output>(schema: StandardSchema<Input, Output>): PayloadCodec<Input, Output> {
  return {
    async encode(payload, headers) {
      await checked(schema, payload);
      return encoded(payload, headers);
    },
    decode: async (fields) => checked(schema, decodedBody(fields)),
  };
}

/** For looking at messages, also at those that no consumer can read: the JSON value, or the bytes. */
export function shownPayload(fields: BodyFields): unknown {
  try {
    return decodedBody(fields);
  } catch {
    return ownBytes(fields.bodyBytes);
  }
}

function encoded(payload: unknown, headers: Readonly<Record<string, string>>): EncodedPayload {
  // As it is now: repeats of the request must all be the same, whatever its caller does with a buffer meanwhile.
  if (payload instanceof Uint8Array) return { bodyBytes: new Uint8Array(payload), headers };
  return { bodyBytes: textEncoder.encode(jsonOf(payload)), headers: { 'content-type': jsonContentType, ...headers } };
}

function jsonOf(payload: unknown): string {
  let json: unknown;
  try {
    json = JSON.stringify(payload);
  } catch (cause) {
    throw invalid([{ path: 'payload', message: 'is no JSON value (a cycle, or a BigInt)' }], cause);
  }
  if (typeof json !== 'string') throw invalid([{ path: 'payload', message: 'must be a JSON value or a Uint8Array' }]);
  return json;
}

function decodedBody(fields: BodyFields) {
  if (fields.bodyBase64 !== undefined) return new Uint8Array(Buffer.from(fields.bodyBase64, 'base64'));
  if (fields.bodyBytes === undefined) return fields.body;
  if (fields.headers['content-type'] !== jsonContentType) return ownBytes(fields.bodyBytes);
  try {
    return JSON.parse(textDecoder.decode(fields.bodyBytes));
  } catch (cause) {
    throw invalid([{ path: 'payload', message: 'is not the JSON that its content-type says' }], cause);
  }
}

/** A copy: in one process the bytes of an answer are those that the node is about to write, or has its messages from. */
const ownBytes = (bytes: Uint8Array | undefined): Uint8Array => new Uint8Array(bytes ?? []);

async function checked<Input, Output>(schema: StandardSchema<Input, Output>, value: unknown): Promise<Output> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  throw invalid(
    result.issues.map(({ message, path = [] }) => ({ path: ['payload', ...path.map(stepOf)].join('.'), message })),
  );
}

function stepOf(step: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof step === 'object' ? step.key : step);
}

function invalid(
  fields: readonly { readonly path: string; readonly message: string }[],
  cause?: unknown,
): HoldfastError {
  const detail = fields.map(({ path, message }) => `${path}: ${message}.`).join(' ');
  return new HoldfastError('HF_INVALID_REQUEST', { fields, detail }, cause === undefined ? undefined : { cause });
}

/** A reason that a node takes, whatever was thrown: a message that is no text, an object that can not be made one. */
export function reasonOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error).slice(0, bounds.reasonCharacters);
  } catch {
    return 'something that has no text';
  }
}
