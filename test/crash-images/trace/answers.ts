// Answers of the HTTP API, cut out of what left on its sockets.
import type { Sent } from './operations.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** From here on its client may have it. */
  readonly at: number;
}

const headEnd = Buffer.from('\r\n\r\n');

/** A reader for each connection; answers come out when their last byte went in. */
export class AnswerReader {
  readonly #streams = new Map<string, Buffer>();

  *read({ connection, data, begin }: Sent): Generator<Answer> {
    let bytes = Buffer.concat([this.#streams.get(connection) ?? Buffer.alloc(0), data]);
    for (;;) {
      const end = bytes.indexOf(headEnd);
      if (end === -1) break;
      const head = bytes.toString('latin1', 0, end);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      const bodyAt = end + headEnd.length;
      if (bytes.length < bodyAt + length) break;
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? Number.NaN);
      if (Number.isNaN(status)) throw new Error(`not an answer: ${head.slice(0, 80)}`);
      const text = bytes.toString('utf8', bodyAt, bodyAt + length);
      yield { status, body: parsed(text), at: begin };
      bytes = bytes.subarray(bodyAt + length);
    }
    this.#streams.set(connection, bytes);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
