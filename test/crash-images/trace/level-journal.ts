// Rows in the log files that LevelDB writes (doc/log_format.md of LevelDB: blocks of 32 KiB, records in one or more pieces; a
// record is a batch), read as they are written.

const blockBytes = 32_768;
const pieceHeadBytes = 7;
const batchHeadBytes = 12;
const [zero, full, first, last] = [0, 1, 2, 4];

export interface Row {
  readonly key: Buffer;
  readonly value: Buffer;
}

export class LevelJournal {
  #bytes: Buffer = Buffer.alloc(0);
  /** Where the bytes that are not read yet begin in the file. */
  #offset = 0;
  #pieces: Buffer[] = [];

  /** @returns the rows that the bytes complete; deletes are left out */
  write(data: Buffer): readonly Row[] {
    this.#bytes = Buffer.concat([this.#bytes, data]);
    const rows: Row[] = [];
    for (let piece = this.#nextPiece(); piece !== undefined; piece = this.#nextPiece()) {
      if (piece.type === full || piece.type === first) this.#pieces = [];
      this.#pieces.push(piece.data);
      if (piece.type === full || piece.type === last) rows.push(...putsOf(Buffer.concat(this.#pieces)));
    }
    return rows;
  }

  #nextPiece(): { readonly type: number; readonly data: Buffer } | undefined {
    for (;;) {
      const left = blockBytes - (this.#offset % blockBytes);
      if (left < pieceHeadBytes) {
        if (this.#bytes.length < left) return undefined;
        this.#skip(left);
        continue;
      }
      if (this.#bytes.length < pieceHeadBytes) return undefined;
      const length = this.#bytes.readUInt16LE(4);
      const type = this.#bytes.readUInt8(6);
      if (type === zero || type > last) throw new Error(`a log file of LevelDB has a piece of type ${type}`);
      if (this.#bytes.length < pieceHeadBytes + length) return undefined;
      const data = this.#bytes.subarray(pieceHeadBytes, pieceHeadBytes + length);
      this.#skip(pieceHeadBytes + length);
      return { type, data };
    }
  }

  #skip(bytes: number): void {
    this.#bytes = this.#bytes.subarray(bytes);
    this.#offset += bytes;
  }
}

function putsOf(batch: Buffer): Row[] {
  const rows: Row[] = [];
  let at = batchHeadBytes;
  const take = (): Buffer => {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = batch.readUInt8(at++);
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    at += length;
    return batch.subarray(at - length, at);
  };
  while (at < batch.length) {
    const isPut = batch.readUInt8(at++) === 1;
    const key = take();
    if (isPut) rows.push({ key, value: take() });
  }
  return rows;
}
