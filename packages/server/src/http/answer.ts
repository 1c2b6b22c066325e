// From a service's answer to bytes: msgpack carries bodies as they are, JSON as a value where the message says that it is
// JSON, and as base64 otherwise.
import { type AnswerOf, jsonContentType, type Verb } from '@holdfast/api';
import { Packr } from 'msgpackr';

const packr = new Packr({ useRecords: false, mapsAsObjects: true, variableMapSize: true });

export function msgpackAnswer(answer: unknown): Buffer {
  return packr.pack(answer);
}

export function jsonAnswer<V extends Verb>(verb: V, answer: AnswerOf<V>): string {
  if (!showsBodies[verb]) return JSON.stringify(answer);
  return JSON.stringify('messages' in answer ? { ...answer, messages: answer.messages.map(shown) } : shown(answer));
}

/** Answers that show messages; the others are JSON as they stand. */
const showsBodies: Readonly<Record<Verb, boolean>> = {
  schedule: false,
  list: true,
  get: true,
  cancel: false,
  receive: true,
  ack: false,
  nack: false,
  extend: false,
  topics: false,
  topic: false,
  putGroup: false,
  group: false,
  deleteGroup: false,
  deadLetters: true,
  cluster: false,
};

interface WithBody {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly bodyBytes?: Uint8Array | undefined;
}

function shown(seen: object): object {
  const { bodyBytes, ...rest }: WithBody = seen;
  if (bodyBytes === undefined) return rest;
  const bytes = Buffer.from(bodyBytes.buffer, bodyBytes.byteOffset, bodyBytes.byteLength);
  const body = rest.headers?.['content-type'] === jsonContentType ? parsed(bytes) : undefined;
  return body === undefined ? { ...rest, bodyBase64: bytes.toString('base64') } : { ...rest, body };
}

/** undefined when the bytes are no JSON, whatever the message's header says. */
function parsed(bytes: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return value;
  } catch {
    return undefined;
  }
}
