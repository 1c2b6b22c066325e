// Whatever goes wrong becomes application/problem+json with a code of the one table: refusals of the service, faults of the
// HTTP layer, broken HTTP, and what nobody foresaw.
import { bounds, HoldfastError, toProblem } from '@holdfast/api';
import type { FastifyReply } from 'fastify';

const problemType = 'application/problem+json; charset=utf-8';
/** When the refusal does not say how long. */
const retryAfterMs = 1_000;
/** Those who meet one of them may come again, and are told when. */
export const retryStatuses: ReadonlySet<number> = new Set([429, 503, 507]);

/** Codes of fastify and of Node's HTTP parser that a caller can provoke; all else is a fault of the node. */
const ofFramework: Readonly<Record<string, () => HoldfastError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () =>
    new HoldfastError('HF_BODY_TOO_LARGE', { detail: `A request has at most ${bounds.requestBytes} bytes.` }),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => new HoldfastError('HF_UNSUPPORTED_MEDIA_TYPE'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => invalid('The body is not as long as Content-Length says.'),
  FST_ERR_BAD_URL: () => invalid('The path is not well-formed.'),
  FST_ERR_MAX_PARAM_LENGTH: () => invalid('A part of the path is too long.'),
  ERR_HTTP_REQUEST_TIMEOUT: () => invalid('The request took too long to arrive.'),
  HPE_HEADER_OVERFLOW: () => invalid('The header lines are too large.'),
};

function invalid(detail: string): HoldfastError {
  return new HoldfastError('HF_INVALID_REQUEST', { detail });
}

/** @returns the error itself when it has a code of ours; otherwise what it stands for, HF_INTERNAL in the end */
export function toHoldfastError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const code = codeOf(error);
  const known = ofFramework[code]?.();
  if (known !== undefined) return known;
  if (code.startsWith('HPE_')) return invalid('This is not HTTP/1.1.');
  return new HoldfastError('HF_INTERNAL', {}, { cause: error });
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/** Seconds, rounded up; for those who are asked to come again. */
function retryAfterSeconds(error: HoldfastError): number | undefined {
  if (!retryStatuses.has(error.status)) return undefined;
  return Math.max(1, Math.ceil((error.facts.retryAfterMs ?? retryAfterMs) / 1_000));
}

export function sendProblem(reply: FastifyReply, error: HoldfastError): void {
  const seconds = retryAfterSeconds(error);
  if (seconds !== undefined) reply.header('retry-after', String(seconds));
  reply
    .code(error.status)
    .header('content-type', problemType)
    .send(JSON.stringify(toProblem(error)));
}

/** The same where there is a socket and no request yet. */
export function rawProblem(error: HoldfastError): string {
  const body = JSON.stringify(toProblem(error));
  return `HTTP/1.1 ${error.status} Refused\r\nContent-Type: ${problemType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}
