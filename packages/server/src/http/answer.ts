// From a service's answer to bytes: msgpack carries bodies as they are, JSON as a value where the message says that it is
// JSON, and as base64 otherwise.
import { isUtf8 } from 'node:buffer';
import { type AnswerOf, jsonContentType, type Verb } from '@holdfast/api';
import { Packr } from 'msgpackr';

const packr = new Packr({ useRecords: false, mapsAsObjects: true, variableMapSize: true });

export function msgpackAnswer(answer: unknown): Buffer {
  return packr.pack(answer);
}

export function jsonAnswer<V extends Verb>(verb: V, answer: AnswerOf<V>): string {
  if (!showsBodies[verb]) return JSON.stringify(answer);
  try {
    return textOf(answer, shown);
  } catch {
    // Reading JSON knows no depth, writing it runs out of stack: a body that is nested too deeply must not keep the other
    // messages of this answer from their consumer, nor itself from ever being acknowledged.
    return textOf(answer, (message) => (isWritable(shown(message)) ? shown(message) : asBase64(message)));
  }
}

function textOf(answer: object, show: (message: object) => object): string {
  if (!('messages' in answer) || !Array.isArray(answer.messages)) return JSON.stringify(show(answer));
  return JSON.stringify({ ...answer, messages: answer.messages.map(show) });
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
  backup: false,
  cluster: false,
  members: false,
  addMember: false,
  removeMember: false,
  transfer: false,
};

interface WithBody {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly bodyBytes?: Uint8Array | undefined;
}

function shown(seen: WithBody): object {
  const { bodyBytes, ...rest } = seen;
  if (bodyBytes === undefined) return rest;
  const body = rest.headers?.['content-type'] === jsonContentType ? parsed(bufferOf(bodyBytes)) : undefined;
  return body === undefined ? asBase64(seen) : { ...rest, body };
}

function asBase64({ bodyBytes, ...rest }: WithBody): object {
  return bodyBytes === undefined ? rest : { ...rest, bodyBase64: bufferOf(bodyBytes).toString('base64') };
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function isWritable(value: object): boolean {
  try {
    return JSON.stringify(value) !== '';
  } catch {
    return false;
  }
}

/** undefined when the bytes are no JSON, whatever the message's header says: other bytes than UTF-8 would become another text. */
function parsed(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return value;
  } catch {
    return undefined;
  }
}
