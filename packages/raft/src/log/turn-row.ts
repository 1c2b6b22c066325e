// One row a turn. LevelDB drops a damaged record of its own log without a word, and a batch that held nothing but
// effects leaves no other trace: only a gap in these numbers shows it. So a turn row also is the right place for what
// every turn changes: term and vote, and where the log begins and ends.
//
//   offset  bytes  field
//   0       1      format: 1, or 2 when there is a configuration row
//   1       1      bytes of the vote, 0 = none
//   2       4      generation
//   6       8      turn
//   14      8      term
//   22      8      first index of the log
//   30      8      last index
//   38      8      last term
//   46      8      untouched: every entry up to this index is as it was before the turn
//   54      8      bytes of all entries
//   62      8      the oldest turn row that is kept
//   70      4      bytes of the turn's batch
//   74      4      CRC-32 of bytes 0 to 73 and of all that follows it
//   78      8      in format 2 only: the index of the newest configuration row
//   78, 86         vote
import { crc32 } from 'node:zlib';
import type { HardState } from '../core/ready.ts';
import { RaftError } from '../raft-error.ts';
import { readSafeInteger, writeSafeInteger } from './safe-integer.ts';

export interface TurnRow {
  readonly turn: number;
  readonly generation: number;
  readonly hardState: HardState;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
  readonly untouchedIndex: number;
  readonly logBytes: number;
  readonly oldestTurn: number;
  readonly batchBytes: number;
  /** Of the newest configuration row; 0 when there is none: the configuration is the one that was founded. */
  readonly configurationIndex: number;
}

const checksumAt = 74;
const checkedAt = 78;
/** Where the vote begins, by format. */
const voteAt: Readonly<Record<number, number>> = { 1: checkedAt, 2: checkedAt + 8 };

export function encodeTurnRow(row: TurnRow): Uint8Array {
  const vote = Buffer.from(row.hardState.vote ?? '');
  const headBytes = row.configurationIndex === 0 ? checkedAt : checkedAt + 8;
  const bytes = Buffer.allocUnsafe(headBytes + vote.length);
  bytes.writeUInt8(row.configurationIndex === 0 ? 1 : 2, 0);
  bytes.writeUInt8(vote.length, 1);
  bytes.writeUInt32BE(row.generation, 2);
  writeSafeInteger(bytes, row.turn, 6);
  writeSafeInteger(bytes, row.hardState.term, 14);
  writeSafeInteger(bytes, row.firstIndex, 22);
  writeSafeInteger(bytes, row.lastIndex, 30);
  writeSafeInteger(bytes, row.lastTerm, 38);
  writeSafeInteger(bytes, row.untouchedIndex, 46);
  writeSafeInteger(bytes, row.logBytes, 54);
  writeSafeInteger(bytes, row.oldestTurn, 62);
  bytes.writeUInt32BE(row.batchBytes, 70);
  if (row.configurationIndex !== 0) writeSafeInteger(bytes, row.configurationIndex, checkedAt);
  bytes.set(vote, headBytes);
  bytes.writeUInt32BE(checksumOf(bytes), checksumAt);
  return bytes;
}

/**
 * @param turn the number in the row's key
 * @throws RaftError HF_LOG_CORRUPT, HF_LOG_FORMAT
 */
export function decodeTurnRow(turn: number, raw: Uint8Array): TurnRow {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (bytes.length < checkedAt || bytes.readUInt32BE(checksumAt) !== checksumOf(bytes)) throw damaged(turn);
  const format = bytes.readUInt8(0);
  const headBytes = voteAt[format];
  if (headBytes === undefined) {
    throw new RaftError('HF_LOG_FORMAT', `The row of turn ${turn} has format ${format}.`, { turn });
  }
  if (bytes.length < headBytes) throw damaged(turn);
  const number = (at: number): number => {
    const value = readSafeInteger(bytes, at);
    if (value === undefined) throw damaged(turn);
    return value;
  };
  if (number(6) !== turn || bytes.readUInt8(1) !== bytes.length - headBytes) throw damaged(turn);
  return {
    turn,
    generation: bytes.readUInt32BE(2),
    hardState: { term: number(14), vote: bytes.readUInt8(1) === 0 ? undefined : bytes.toString('utf8', headBytes) },
    firstIndex: number(22),
    lastIndex: number(30),
    lastTerm: number(38),
    untouchedIndex: number(46),
    logBytes: number(54),
    oldestTurn: number(62),
    batchBytes: bytes.readUInt32BE(70),
    configurationIndex: format === 1 ? 0 : number(checkedAt),
  };
}

function checksumOf(bytes: Buffer): number {
  return crc32(bytes.subarray(checkedAt), crc32(bytes.subarray(0, checksumAt)));
}

function damaged(turn: number): RaftError {
  return new RaftError('HF_LOG_CORRUPT', `The row of turn ${turn} does not match its checksum.`, { turn });
}
