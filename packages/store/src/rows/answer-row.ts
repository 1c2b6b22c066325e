// The first answer to an idempotency key, word for word as far as a verdict is one.
import type { CancelVerdict, VerdictOf } from '../verdict.ts';
import { readPosition } from './keyspace.ts';
import { blankRow, CorruptRow, openFormat, type Row, sealRow } from './row.ts';

/** The answers that can be asked for again. */
export type KeptAnswer =
  | Omit<Extract<VerdictOf<'schedule'>, { kind: 'scheduled' }>, 'repeated'>
  | { readonly kind: 'cancel'; readonly verdict: CancelVerdict };

export interface AnswerRow {
  readonly requestHash: Uint8Array;
  /** From then on it may be collected, and then the key is free again. */
  readonly untilMs: number;
  readonly answer: KeptAnswer;
}

const format = 1;
const fixedBytes = 24;
const scheduledCode = 1;
const cancelCodes: Readonly<Record<CancelVerdict['kind'], number>> = {
  cancelled: 2,
  stopped: 3,
  delivered: 4,
  skipped: 5,
  leased: 6,
  notFound: 7,
  forgotten: 8,
};

/**
 *   offset  bytes  field
 *   0       1      format, 1
 *   1       16     hash of the request
 *   17      6      until, ms since the epoch
 *   23      1      what: 1 scheduled; of a cancel 2 cancelled, 3 stopped, 4 delivered, 5 skipped, 6 leased,
 *                  7 notFound, 8 forgotten
 *   24      6      of a cancel: attempts (stopped), leased until (leased), otherwise 0
 *   24      4      of a schedule: number of the topic; then 12 bytes a position: fireAt, seq
 *           4      CRC-32
 */
export function encodeAnswer(key: Buffer, kept: AnswerRow): Row {
  const { answer } = kept;
  const row = blankRow(key, fixedBytes + (answer.kind === 'scheduled' ? 4 + 12 * answer.positions.length : 6));
  const { value } = row;
  value.writeUInt8(format, 0);
  value.set(kept.requestHash, 1);
  value.writeUIntBE(kept.untilMs, 17, 6);
  if (answer.kind === 'scheduled') {
    value.writeUInt8(scheduledCode, 23);
    value.writeUInt32BE(answer.topic, fixedBytes);
    let at = fixedBytes + 4;
    for (const position of answer.positions) {
      value.writeUIntBE(position.fireAtMs, at, 6);
      value.writeUIntBE(position.seq, at + 6, 6);
      at += 12;
    }
  } else {
    value.writeUInt8(cancelCodes[answer.verdict.kind], 23);
    value.writeUIntBE(factOf(answer.verdict), fixedBytes, 6);
  }
  return sealRow(row);
}

function factOf(verdict: CancelVerdict): number {
  if (verdict.kind === 'stopped') return verdict.attempts;
  return verdict.kind === 'leased' ? verdict.leasedUntilMs : 0;
}

/** @throws CorruptRow */
export function decodeAnswer(key: Uint8Array, value: Uint8Array): AnswerRow {
  const body = openFormat(key, value, fixedBytes + 4, format);
  return { requestHash: body.subarray(1, 17), untilMs: body.readUIntBE(17, 6), answer: readAnswer(key, body) };
}

function readAnswer(key: Uint8Array, body: Buffer): KeptAnswer {
  const code = body.readUInt8(23);
  if (code === scheduledCode) {
    const positions = [];
    for (let at = fixedBytes + 4; at < body.length; at += 12) positions.push(readPosition(body, at));
    return { kind: 'scheduled', topic: body.readUInt32BE(fixedBytes), positions };
  }
  const fact = body.readUIntBE(fixedBytes, 6);
  switch (code) {
    case cancelCodes.stopped:
      return { kind: 'cancel', verdict: { kind: 'stopped', attempts: fact } };
    case cancelCodes.leased:
      return { kind: 'cancel', verdict: { kind: 'leased', leasedUntilMs: fact } };
    case cancelCodes.cancelled:
      return { kind: 'cancel', verdict: { kind: 'cancelled' } };
    case cancelCodes.delivered:
      return { kind: 'cancel', verdict: { kind: 'delivered' } };
    case cancelCodes.skipped:
      return { kind: 'cancel', verdict: { kind: 'skipped' } };
    case cancelCodes.notFound:
      return { kind: 'cancel', verdict: { kind: 'notFound' } };
    case cancelCodes.forgotten:
      return { kind: 'cancel', verdict: { kind: 'forgotten' } };
    default:
      throw new CorruptRow(key, `an answer of kind ${code}`);
  }
}
