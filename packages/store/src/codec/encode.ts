// Command -> bytes, once, at the leader; the same bytes go to the log, the disk and every follower.
//
//   offset  bytes  field
//   0       1      format, 1
//   1       1      kind (kinds.ts)
//   2              the fields of the kind, in the order in which its writer below names them
//
// Numbers are big-endian: 4 bytes for topics, groups and counts, 6 for times, seqs and tokens. A text has its length in
// 2 bytes before it, headers and bodies in 4. What may be undefined has a byte 0 or 1 before it.
import type { CollectStep, Command, CommandKind, CommandOf, Idempotency, LeaseRef, NewMessage } from '../command.ts';
import { ByteWriter } from './bytes.ts';
import { commandFormat, deliverAtCodes, kindCodes, startCodes, stepCodes } from './kinds.ts';

const out = new ByteWriter();

/** @throws RangeError for numbers that are not whole, negative or too large, and for ids of a wrong length */
export function encodeCommand(command: Command): Uint8Array {
  out.reset();
  out.u8(commandFormat);
  out.u8(kindCodes[command.kind]);
  encodeFields(command);
  return out.take();
}

// One generic step, so that the table below needs no cast.
function encodeFields<K extends CommandKind>(command: CommandOf<K> & { readonly kind: K }): void {
  const write: (command: CommandOf<K>) => void = writers[command.kind];
  write(command);
}

const writers: { readonly [K in CommandKind]: (command: CommandOf<K>) => void } = {
  begin: (command) => out.u32(command.graceMs),
  tick: () => {},
  schedule(command) {
    out.text(command.topic);
    writeIdempotency(command.idempotency);
    out.list(command.messages, writeMessage);
  },
  createGroup(command) {
    out.text(command.topic);
    out.text(command.group);
    out.u8(startCodes[command.start.kind]);
    if (command.start.kind === 'time') out.u48(command.start.timeMs);
    out.u32(command.config.maxAttempts);
    out.u48(command.config.backoffFirstMs);
    out.u48(command.config.backoffMaxMs);
    out.u8(command.replaceConfig ? 1 : 0);
  },
  deleteGroup: (command) => writeGroup(command),
  lease(command) {
    writeGroup(command);
    out.u8(command.cursor === undefined ? 0 : 1);
    if (command.cursor !== undefined) {
      out.position(command.cursor.from);
      out.position(command.cursor.to);
    }
    out.list(command.receives, (receive) => {
      out.fixed(receive.receiveId, 16);
      out.u48(receive.leaseMs);
    });
    out.list(command.lane, (row) => {
      out.position(row.position);
      out.u16(row.receive);
    });
    out.list(command.retries, (row) => {
      out.position(row.position);
      out.u48(row.retryAtMs);
      out.u48(row.retrySeq);
      out.u16(row.receive);
    });
  },
  ack(command) {
    writeGroup(command);
    out.list(command.leases, writeLease);
  },
  nack(command) {
    writeGroup(command);
    out.list(command.leases, (lease) => {
      writeLease(lease);
      out.u48(lease.delayMs);
      out.text(lease.reason);
    });
  },
  extend(command) {
    writeGroup(command);
    out.u48(command.leaseMs);
    out.list(command.leases, writeLease);
  },
  cancel(command) {
    out.u32(command.topic);
    out.position(command.position);
    writeIdempotency(command.idempotency);
  },
  release(command) {
    writeGroup(command);
    out.list(command.leases, (lease) => {
      writeLease(lease);
      out.u48(lease.delayMs);
    });
  },
  giveBack(command) {
    writeGroup(command);
    out.list(command.leases, writeLease);
  },
  collect: (command) => out.list(command.steps, writeStep),
  activate: (command) => out.u16(command.version),
};

function writeGroup(of: { readonly topic: number; readonly group: number }): void {
  out.u32(of.topic);
  out.u32(of.group);
}

function writeLease(lease: LeaseRef): void {
  out.position(lease.position);
  out.u48(lease.token);
}

function writeMessage(message: NewMessage): void {
  const { at } = message;
  out.u8(deliverAtCodes[at.kind]);
  out.u48(at.kind === 'time' ? at.timeMs : at.delayMs);
  out.blob(message.headers);
  out.blob(message.body);
}

function writeIdempotency(idempotency: Idempotency | undefined): void {
  out.u8(idempotency === undefined ? 0 : 1);
  if (idempotency === undefined) return;
  out.text(idempotency.key);
  out.fixed(idempotency.requestHash, 16);
  out.u48(idempotency.keepMs);
}

function writeStep(step: CollectStep): void {
  out.u8(stepCodes[step.kind]);
  switch (step.kind) {
    case 'answers':
      out.u32(step.topic);
      out.list(step.keys, (row) => {
        out.text(row.key);
        out.u48(row.untilMs);
      });
      return;
    case 'ended':
      out.list(step.rows, (row) => {
        out.u32(row.topic);
        out.position(row.position);
        out.u48(row.endedAtMs);
      });
      return;
    case 'messages':
      out.u32(step.topic);
      out.list(step.positions, (position) => out.position(position));
      return;
    case 'group':
      writeGroup(step);
      out.list(step.holds, (position) => out.position(position));
      out.u8(step.last ? 1 : 0);
  }
}
