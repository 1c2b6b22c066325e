// The text of strace as calls: who, what, from when to when. Every string in it is hexadecimal, so that no byte of a file
// can look like syntax.
import { closeSync, openSync, readSync } from 'node:fs';

export interface Call {
  readonly name: string;
  /** Places in the order of the record: when the call was entered, and when it had returned. */
  readonly begin: number;
  /** Infinity when it never returned, because its process was killed. */
  end: number;
  /** Wall time of its entry, in ms since the epoch. */
  readonly atMs: number;
  /** -1 for every error; undefined when it never returned. */
  result: number | undefined;
}

export interface CallListener {
  /** @returns whether its return is of interest. `text` is what stands between the brackets, and not kept */
  entered(call: Call, text: Buffer): boolean;
  returned(call: Call): void;
}

/**
 * Reads one record from its beginning to its end.
 *
 * @param firstPlace the place of the first line in the order of all records of this node
 * @returns the place after the last line
 */
export function readCalls(path: string, firstPlace: number, listener: CallListener): number {
  /** A thread is in one call at a time. */
  const open = new Map<string, Call>();
  let place = firstPlace;
  for (const line of lines(path)) {
    const at = place++;
    // 1234 1795351985.157123 write(20<...>, ...) = 8
    const thread = line.toString('latin1', 0, line.indexOf(space));
    const timeAt = skipSpaces(line, thread.length);
    const timeEnd = line.indexOf(space, timeAt);
    const bodyAt = skipSpaces(line, timeEnd);
    const first = line[bodyAt];
    if (first === less) {
      const resumed = open.get(thread);
      open.delete(thread);
      if (resumed !== undefined) finish(resumed, at, line, bodyAt, listener);
      continue;
    }
    const bracket = line.indexOf(openBracket, bodyAt);
    if (first === plus || first === minus || bracket === -1) continue;
    const atMs = Number(line.toString('latin1', timeAt, timeEnd)) * 1_000;
    const name = line.toString('latin1', bodyAt, bracket);
    const ending = openEndings.find((text) => line.subarray(-text.length).equals(text));
    const isOpen = ending !== undefined;
    const textEnd = isOpen ? line.length - ending.length : line.lastIndexOf(closing);
    if (textEnd < bracket) throw new Error(`${path}, line ${at - firstPlace + 1}: a call without an end`);
    const call: Call = { name, begin: at, end: Number.POSITIVE_INFINITY, atMs, result: undefined };
    if (!listener.entered(call, line.subarray(bracket + 1, textEnd))) continue;
    if (isOpen) open.set(thread, call);
    else finish(call, at, line, textEnd, listener);
  }
  return place;
}

const space = 0x20;
const [less, plus, minus, openBracket] = [0x3c, 0x2b, 0x2d, 0x28];
/** Another thread's line comes between; or the process was killed while strace wrote this one. */
const openEndings = [' <unfinished ...>', ' <detached ...>'].map((text) => Buffer.from(text));
const closing = Buffer.from(') = ');
const equals = Buffer.from(' = ');
const chunkBytes = 8 * 2 ** 20;

function skipSpaces(line: Buffer, from: number): number {
  let at = from;
  while (line[at] === space) at += 1;
  return at;
}

function finish(call: Call, at: number, line: Buffer, from: number, listener: CallListener): void {
  const resultAt = line.indexOf(equals, from);
  const text = resultAt === -1 ? '?' : line.toString('latin1', resultAt + equals.length, resultAt + 24);
  const result = Number.parseInt(text, text.startsWith('0x') ? 16 : 10);
  // "?" stands for a call from which its thread never came back.
  if (Number.isNaN(result)) return;
  call.end = at;
  call.result = result;
  listener.returned(call);
}

function* lines(path: string): Generator<Buffer> {
  const file = openSync(path, 'r');
  try {
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.allocUnsafeSlow(chunkBytes);
      const bytes = readSync(file, chunk, 0, chunkBytes, null);
      if (bytes === 0) break;
      const text: Buffer =
        rest.length === 0 ? chunk.subarray(0, bytes) : Buffer.concat([rest, chunk.subarray(0, bytes)]);
      let from = 0;
      for (let to = text.indexOf(10); to !== -1; to = text.indexOf(10, from)) {
        yield text.subarray(from, to);
        from = to + 1;
      }
      rest = text.subarray(from);
    }
    // A last line without its end was cut with the tracer: it says nothing that is certain.
  } finally {
    closeSync(file);
  }
}
