// From bytes and header lines to a request as its route's schemas want it. Nothing is checked here but the encoding: the
// service parses the request, once.
import { isUtf8 } from 'node:buffer';
import { bounds, HoldfastError, idempotencyHeader, type RequestOf, type Route, type Verb } from '@holdfast/api';
import type { FastifyRequest } from 'fastify';
import { Unpackr } from 'msgpackr';

const jsonType = 'application/json';
export const msgpackType = 'application/msgpack';
/** Set by a node that passes a request to the leader: one hop, and no more. */
export const forwardedHeader = 'holdfast-forwarded';
export const rawHeaders = {
  deliverAt: 'holdfast-deliver-at',
  delay: 'holdfast-delay',
  /** Prefix of a message's own headers. */
  ofMessage: 'holdfast-header-',
} as const;

// Integers past 2^53 become numbers, as in JSON; as an instant or a count they are refused like any unsafe integer.
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' });

/** @throws HoldfastError HF_INVALID_JSON, HF_UNSUPPORTED_MEDIA_TYPE, HF_INVALID_REQUEST */
export function requestOf<V extends Verb>(verb: V, route: Route, request: FastifyRequest): RequestOf<V> {
  const key = request.headers[idempotencyHeader.name];
  if (key !== undefined && !route.idempotent) {
    throw invalid('headers.idempotency-key', 'this route takes no Idempotency-Key');
  }
  const asWritten = {
    params: request.params,
    query: request.query,
    body: bodyOf(verb, route, request),
    idempotencyKey: key,
  };
  // The shape as a caller should have written it. Whether it was is for the service to say, which parses it.
  return asWritten as RequestOf<V>;
}

function bodyOf(verb: Verb, route: Route, request: FastifyRequest): unknown {
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (route.body === undefined) {
    if (bytes.length > 0) throw invalid('body', 'this route takes none');
    return undefined;
  }
  const type = mediaTypeOf(request.headers['content-type']);
  if (verb === 'schedule' && isRaw(request)) return rawMessage(type, bytes, request);
  if (type === jsonType) return bytes.length === 0 ? {} : decoded(() => JSON.parse(textIn(bytes)));
  if (isMsgpack(type)) return decoded(() => unpackr.unpack(bytes));
  if (type === undefined && bytes.length === 0) return {};
  const orRaw =
    verb === 'schedule' ? ' A message as it is needs the header Holdfast-Delay or Holdfast-Deliver-At.' : '';
  throw new HoldfastError('HF_UNSUPPORTED_MEDIA_TYPE', { detail: `It was ${type ?? 'not given'}.${orRaw}` });
}

function decoded(decode: () => unknown): unknown {
  try {
    return decode();
  } catch (error) {
    throw new HoldfastError(
      'HF_INVALID_JSON',
      { detail: error instanceof Error ? `${error.message}.` : '' },
      { cause: error },
    );
  }
}

/** Without the check, what is no UTF-8 (a text in latin1) would be kept with other characters than it was sent with. */
function textIn(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new SyntaxError('JSON must be in UTF-8');
  return bytes.toString('utf8');
}

/** 'Application/JSON; charset=utf-8' -> 'application/json' */
function mediaTypeOf(header: string | undefined): string | undefined {
  if (header === undefined || header === jsonType) return header;
  return header.split(';', 1)[0]?.trim().toLowerCase();
}

export function isMsgpack(type: string | undefined): boolean {
  return type === msgpackType || type === 'application/x-msgpack' || type === 'application/vnd.msgpack';
}

function isRaw({ headers }: FastifyRequest): boolean {
  return headers[rawHeaders.deliverAt] !== undefined || headers[rawHeaders.delay] !== undefined;
}

/** The body is one message's, as it is, whatever its content type; the rest stands in header lines. */
function rawMessage(type: string | undefined, bodyBytes: Uint8Array, request: FastifyRequest): unknown {
  const at = textOf(request.headers[rawHeaders.deliverAt]);
  const delay = textOf(request.headers[rawHeaders.delay]);
  const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
  let count = 0;
  for (const [name, value] of Object.entries(request.headers)) {
    if (!name.startsWith(rawHeaders.ofMessage)) continue;
    if ((count += 1) > bounds.headersPerMessage)
      throw invalid('headers', `must be at most ${bounds.headersPerMessage}`);
    headers[name.slice(rawHeaders.ofMessage.length)] = utf8Of(textOf(value) ?? '', name);
  }
  return {
    ...(at === undefined ? {} : { at: numberOrText(at) }),
    ...(delay === undefined ? {} : { delay: numberOrText(delay) }),
    headers,
    bodyBytes,
  };
}

const textOf = (value: string | string[] | undefined) => (Array.isArray(value) ? value.join(',') : value);
const numberOrText = (text: string) => (/^\d{1,16}$/.test(text) ? Number(text) : text);
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Node reads header lines as latin1; clients write UTF-8. */
function utf8Of(value: string, name: string): string {
  try {
    return utf8.decode(Buffer.from(value, 'latin1'));
  } catch {
    throw invalid(`headers.${name}`, 'must be UTF-8');
  }
}

function invalid(path: string, message: string): HoldfastError {
  return new HoldfastError('HF_INVALID_REQUEST', { detail: `${path}: ${message}.`, fields: [{ path, message }] });
}
