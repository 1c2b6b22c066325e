// A backup, read back. Rows come as they are read; only when the last one was given out without an error does the whole
// file vouch for them.
import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  BackupError,
  type BackupHeader,
  backupFormat,
  checkBytes,
  decodeHeader,
  decodeTrailer,
  magic,
  maxPayloadBytes,
  preambleBytes,
  recordHeadBytes,
  recordKinds,
} from './backup-format.ts';
import { decodeRows } from './backup-rows.ts';
import { Incoming } from './incoming.ts';
import type { StateRow } from './row.ts';

export interface Backup {
  readonly header: BackupHeader;
  /**
   * Once, to its end. Throws BackupError, at its end too: what came before is to be given up then. `restoreRows` holds
   * the meta row back for that, without which no directory opens.
   */
  readonly chunks: AsyncIterable<readonly StateRow[]>;
}

/**
 * @param source the file, in pieces of any size
 * @throws BackupError with code foreignFile, newerFormat, truncated or damaged
 */
export async function readBackup(source: AsyncIterable<Uint8Array>): Promise<Backup> {
  const incoming = new Incoming(source);
  const digest = createHash('sha256');
  try {
    await readPreamble(incoming, digest);
    const { kind, payload, bytes } = await readRecord(incoming);
    const header = kind === recordKinds.header ? decodeHeader(payload) : undefined;
    if (header === undefined) throw new BackupError('damaged', incoming.at, 'it has no header');
    for (const part of bytes) digest.update(part);
    return { header, chunks: readChunks(incoming, digest) };
  } catch (error) {
    await incoming.close();
    throw error;
  }
}

async function* readChunks(incoming: Incoming, digest: Hash): AsyncGenerator<readonly StateRow[]> {
  try {
    let count = 0;
    for (;;) {
      const { kind, payload, bytes } = await readRecord(incoming);
      if (kind === recordKinds.trailer) {
        await checkTrailer(incoming, payload, count, digest.digest());
        return;
      }
      for (const part of bytes) digest.update(part);
      const rows = kind === recordKinds.rows ? decodeRows(payload) : undefined;
      if (rows === undefined) throw new BackupError('damaged', incoming.at, `a record of kind ${kind}`);
      count += rows.length;
      yield rows;
    }
  } finally {
    await incoming.close();
  }
}

async function readPreamble(incoming: Incoming, digest: Hash): Promise<void> {
  const bytes = await incoming.take(preambleBytes);
  if (!bytes.subarray(0, magic.length).equals(magic.subarray(0, bytes.length))) throw foreign(incoming);
  if (bytes.length < preambleBytes) throw bytes.length === 0 ? foreign(incoming) : cutOff(incoming);
  if (crc32(bytes.subarray(0, 18)) !== bytes.readUInt32BE(18))
    throw new BackupError('damaged', incoming.at, 'the checksum of its beginning differs');
  const format = bytes.readUInt16BE(16);
  if (format !== backupFormat)
    throw new BackupError('newerFormat', incoming.at, `format ${format}, not ${backupFormat}`);
  digest.update(bytes);
}

interface FileRecord {
  readonly kind: number;
  readonly payload: Buffer;
  /** All of its bytes. */
  readonly bytes: readonly Buffer[];
}

async function readRecord(incoming: Incoming): Promise<FileRecord> {
  const head = await incoming.take(recordHeadBytes);
  if (head.length < recordHeadBytes) throw cutOff(incoming);
  const payloadBytes = head.readUInt32BE(1);
  if (crc32(head.subarray(0, 5)) !== head.readUInt32BE(5) || payloadBytes > maxPayloadBytes)
    throw new BackupError('damaged', incoming.at, 'the head of a record');
  const body = await incoming.take(payloadBytes + checkBytes);
  if (body.length < payloadBytes + checkBytes) throw cutOff(incoming);
  const payload = body.subarray(0, payloadBytes);
  if (crc32(payload) !== body.readUInt32BE(payloadBytes))
    throw new BackupError('damaged', incoming.at, 'the checksum of a record differs');
  return { kind: head.readUInt8(0), payload, bytes: [head, body] };
}

async function checkTrailer(incoming: Incoming, payload: Buffer, rows: number, digest: Buffer): Promise<void> {
  const trailer = decodeTrailer(payload);
  if (trailer?.rows !== rows) throw new BackupError('damaged', incoming.at, `it has ${rows} rows, and says otherwise`);
  if (!trailer.digest.equals(digest)) throw new BackupError('damaged', incoming.at, 'the SHA-256 of the whole differs');
  const more = await incoming.take(1);
  if (more.length > 0) throw new BackupError('damaged', incoming.at, 'something follows its end');
}

const foreign = ({ at }: Incoming): BackupError => new BackupError('foreignFile', at);
const cutOff = ({ at }: Incoming): BackupError => new BackupError('truncated', at);
