// One command -> its handler, in a table that no verb can be missing from; and the savepoint around it.
import { applyAck } from './apply/ack.ts';
import { applyActivate } from './apply/activate.ts';
import { applyBegin, applyTick } from './apply/begin.ts';
import { applyCancel } from './apply/cancel.ts';
import { applyCollect } from './apply/collect.ts';
import type { EntryRows } from './apply/entry/entry-rows.ts';
import { applyExtend } from './apply/extend.ts';
import { applyCreateGroup, applyDeleteGroup } from './apply/group.ts';
import { applyLease } from './apply/lease.ts';
import { applyNack } from './apply/nack.ts';
import { applyGiveBack, applyRelease } from './apply/release.ts';
import { applySchedule } from './apply/schedule.ts';
import type { Command, CommandKind, CommandOf } from './command.ts';
import type { Verdict, VerdictOf } from './verdict.ts';

const handlers: { readonly [K in CommandKind]: (rows: EntryRows, command: CommandOf<K>) => VerdictOf<K> } = {
  begin: applyBegin,
  tick: applyTick,
  schedule: applySchedule,
  createGroup: applyCreateGroup,
  deleteGroup: applyDeleteGroup,
  lease: applyLease,
  ack: applyAck,
  nack: applyNack,
  extend: applyExtend,
  cancel: applyCancel,
  release: applyRelease,
  giveBack: applyGiveBack,
  collect: applyCollect,
  activate: applyActivate,
};

/** A refusal leaves nothing behind; whatever a handler throws is fatal to the node. */
export function applyCommand(rows: EntryRows, command: Command): Verdict {
  const verdict = applyOne(rows, command);
  if (verdict.kind === 'refused') rows.rollBack();
  else rows.keep();
  return verdict;
}

function applyOne<K extends CommandKind>(rows: EntryRows, command: CommandOf<K> & { readonly kind: K }): VerdictOf<K> {
  const handle: (rows: EntryRows, command: CommandOf<K>) => VerdictOf<K> = handlers[command.kind];
  return handle(rows, command);
}
