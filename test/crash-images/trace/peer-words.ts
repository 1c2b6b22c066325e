// What a node said to its peers that binds it: votes, and acknowledgements of entries. Cut out of what left on its sockets, by
// a reader of its own (the layout stands in packages/raft/src/wire/frame.ts and codec.ts).
import type { Sent } from './operations.ts';

export type BindingWord =
  | { readonly kind: 'voteAsked'; readonly term: number }
  | { readonly kind: 'voteGranted'; readonly term: number }
  | { readonly kind: 'appended'; readonly term: number; readonly index: number };

export interface Said {
  readonly word: BindingWord;
  /** Where it went: host:port of the peer. */
  readonly to: string;
  /** It may have left from here on. */
  readonly at: number;
}

const headBytes = 20;
const messageFrame = 3;
const [voteRequest, voteResponse, appendResponse] = [1, 3, 5];
const fieldsAt = headBytes + 9;

export class PeerWordReader {
  readonly #streams = new Map<string, { bytes: Buffer; begin: number }>();

  *read({ connection, data, begin }: Sent): Generator<Said> {
    const stream = this.#streams.get(connection);
    let bytes = stream === undefined ? data : Buffer.concat([stream.bytes, data]);
    // A new connection may have the address of an old one, which ended within a frame.
    if (bytes.toString('latin1', 0, 2) !== 'HF') bytes = data;
    while (bytes.length >= headBytes) {
      if (bytes.toString('latin1', 0, 2) !== 'HF' || bytes[2] !== 1)
        throw new Error(`what a node said to ${connection} is not in frames that this reader knows`);
      const length = headBytes + bytes.readUInt32BE(8);
      if (bytes.length < length) break;
      const word = bytes[3] === messageFrame ? wordOf(bytes.subarray(0, length)) : undefined;
      if (word !== undefined) yield { word, to: connection.split('->')[1] ?? '', at: begin };
      bytes = bytes.subarray(length);
    }
    this.#streams.set(connection, { bytes, begin });
  }
}

function wordOf(frame: Buffer): BindingWord | undefined {
  const term = Number(frame.readBigUInt64BE(fieldsAt));
  const kind = frame[headBytes];
  const isYes = frame[fieldsAt + 8] === 1;
  if (kind === voteRequest) return { kind: 'voteAsked', term };
  if (kind === voteResponse) return isYes ? { kind: 'voteGranted', term } : undefined;
  if (kind !== appendResponse || !isYes) return undefined;
  return { kind: 'appended', term, index: Number(frame.readBigUInt64BE(fieldsAt + 9)) };
}
