// Bytes between nodes: frames with a length in front. The port is open to strangers, so the head alone decides whether
// anything is allocated, and a frame that is wrong in any way ends its connection.
//
//   offset  bytes  field
//   0       2      'HF'
//   2       1      format, 1
//   3       1      kind
//   4       4      group, so that one port can serve several
//   8       4      bytes of the body
//   12      4      how many of them, from its beginning, the checksum covers (entries carry checksums of their own)
//   16      4      CRC-32 of bytes 0 to 15 and of those
//   20             body
import { strict as assert } from 'node:assert';
import { crc32 } from 'node:zlib';

const frameHeadBytes = 20;
const magic = 0x4846;
const format = 1;
const kinds = ['greeting', 'welcome', 'refusal', 'message', 'control', 'hail', 'challenge', 'bulk'] as const;

export type FrameKind = (typeof kinds)[number];

export interface Frame {
  readonly kind: FrameKind;
  readonly body: Buffer;
  readonly checkedBytes: number;
}

export type BreakReason = 'magic' | 'format' | 'kind' | 'group' | 'size' | 'checksum' | 'seal';

/** Not a frame of ours, or a damaged one. What follows on the connection means nothing. */
export class BrokenFrame extends Error {
  readonly reason: BreakReason;

  constructor(reason: BreakReason) {
    super(`broken frame: ${reason}`);
    this.name = 'BrokenFrame';
    this.reason = reason;
  }
}

/** The head and the checked part in one buffer; `restBytes` of the body follow it on the wire. */
export function encodeFrame(kind: FrameKind, group: number, checked: Uint8Array, restBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(frameHeadBytes + checked.length);
  bytes.writeUInt16BE(magic, 0);
  bytes.writeUInt8(format, 2);
  bytes.writeUInt8(kinds.indexOf(kind), 3);
  bytes.writeUInt32BE(group, 4);
  bytes.writeUInt32BE(checked.length + restBytes, 8);
  bytes.writeUInt32BE(checked.length, 12);
  bytes.set(checked, frameHeadBytes);
  bytes.writeUInt32BE(crc32(checked, crc32(bytes.subarray(0, 16))), 16);
  return bytes;
}

/** Vouches for frames that leave: what it adds to each belongs to the frame's body. */
export interface FrameSealer {
  readonly tagBytes: number;
  /** Of the next frame of this direction, which consists of these parts. */
  tag(parts: readonly Uint8Array[]): Uint8Array;
}

/** Asked for every frame that arrives: its body without the tag, or undefined when it is not what the other end sent next. */
export interface FrameOpener {
  readonly tagBytes: number;
  open(head: Uint8Array, body: Buffer): Buffer | undefined;
}

/** The parts of a frame as they follow each other on the wire. */
export function encodeParts(
  seal: FrameSealer | undefined,
  kind: FrameKind,
  group: number,
  checked: Uint8Array,
  rest: readonly Uint8Array[] = [],
  restBytes = 0,
): readonly [Buffer, ...Uint8Array[]] {
  if (seal === undefined) return [encodeFrame(kind, group, checked, restBytes), ...rest];
  const head = encodeFrame(kind, group, checked, restBytes + seal.tagBytes);
  return [head, ...rest, seal.tag([head, ...rest])];
}

interface Head {
  readonly kind: FrameKind;
  readonly bodyBytes: number;
  readonly checkedBytes: number;
  readonly checksum: number;
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  /** A larger body breaks the connection before a byte of it is kept. */
  maxBodyBytes: number;
  /** Once the two ends have agreed on one, nothing passes without it. */
  seal: FrameOpener | undefined;
  readonly #group: number;
  readonly #headBytes: Buffer = Buffer.alloc(frameHeadBytes);
  #filled = 0;
  #head: Head | undefined;
  #body: Buffer | undefined;
  #bodyFilled = 0;

  constructor(group: number, maxBodyBytes: number) {
    this.#group = group;
    this.maxBodyBytes = maxBodyBytes;
  }

  /** Part of a frame is here, and its rest is not. */
  get isInsideFrame(): boolean {
    return this.#filled > 0;
  }

  /**
   * The frames that end in this chunk. Bodies that lie in one chunk are not copied.
   * @throws BrokenFrame
   */
  *read(chunk: Buffer): Generator<Frame> {
    let at = 0;
    while (at < chunk.length) {
      at += this.#fillHead(chunk, at);
      if (this.#head === undefined) return;
      const { kind, bodyBytes, checkedBytes } = this.#head;
      const body = this.#takeBody(chunk, at, bodyBytes);
      at += body.taken;
      if (body.whole === undefined) return;
      if (crc32(body.whole.subarray(0, checkedBytes), crc32(this.#headBytes.subarray(0, 16))) !== this.#head.checksum) {
        throw new BrokenFrame('checksum');
      }
      const opened = this.#opened(body.whole, checkedBytes);
      this.#filled = 0;
      this.#head = undefined;
      yield { kind, body: opened, checkedBytes };
    }
  }

  #opened(body: Buffer, checkedBytes: number): Buffer {
    if (this.seal === undefined) return body;
    const opened = this.seal.open(this.#headBytes, body);
    if (opened === undefined || checkedBytes > opened.length) throw new BrokenFrame('seal');
    return opened;
  }

  #fillHead(chunk: Buffer, at: number): number {
    if (this.#head !== undefined) return 0;
    const taken = chunk.copy(this.#headBytes, this.#filled, at, at + frameHeadBytes - this.#filled);
    this.#filled += taken;
    // A stranger is sent away at the first wrong byte, and not when a head's worth has come.
    const bytes = this.#headBytes;
    if (bytes[0] !== magic >> 8 || (this.#filled > 1 && bytes[1] !== (magic & 0xff))) throw new BrokenFrame('magic');
    if (this.#filled === frameHeadBytes) this.#head = this.#checkedHead();
    return taken;
  }

  #checkedHead(): Head {
    const bytes = this.#headBytes;
    const kind = kinds[bytes.readUInt8(3)];
    const bodyBytes = bytes.readUInt32BE(8);
    const checkedBytes = bytes.readUInt32BE(12);
    if (bytes.readUInt8(2) !== format) throw new BrokenFrame('format');
    if (kind === undefined) throw new BrokenFrame('kind');
    if (bytes.readUInt32BE(4) !== this.#group) throw new BrokenFrame('group');
    if (bodyBytes > this.maxBodyBytes + (this.seal?.tagBytes ?? 0) || checkedBytes > bodyBytes)
      throw new BrokenFrame('size');
    return { kind, bodyBytes, checkedBytes, checksum: bytes.readUInt32BE(16) };
  }

  #takeBody(
    chunk: Buffer,
    at: number,
    bodyBytes: number,
  ): { readonly taken: number; readonly whole: Buffer | undefined } {
    if (this.#body === undefined && chunk.length - at >= bodyBytes) {
      return { taken: bodyBytes, whole: chunk.subarray(at, at + bodyBytes) };
    }
    const body = this.#body ?? Buffer.allocUnsafeSlow(bodyBytes);
    const taken = chunk.copy(body, this.#bodyFilled, at);
    this.#bodyFilled += taken;
    assert(this.#bodyFilled <= bodyBytes);
    this.#body = body;
    if (this.#bodyFilled < bodyBytes) return { taken, whole: undefined };
    this.#body = undefined;
    this.#bodyFilled = 0;
    return { taken, whole: body };
  }
}
