// One byte a kind of command. Numbers stand in logs: they are never used again for something else.
import type { CollectStep, CommandKind } from '../command.ts';

/** The first byte of every command. */
export const commandFormat = 1;

export const kindCodes: Readonly<Record<CommandKind, number>> = {
  begin: 1,
  tick: 2,
  schedule: 3,
  createGroup: 4,
  deleteGroup: 5,
  lease: 6,
  ack: 7,
  nack: 8,
  extend: 9,
  cancel: 10,
  release: 11,
  giveBack: 12,
  collect: 13,
  activate: 14,
};

export const startCodes = { earliest: 0, now: 1, time: 2 } as const;
export const deliverAtCodes = { time: 0, delay: 1 } as const;
export const stepCodes: Readonly<Record<CollectStep['kind'], number>> = { answers: 1, ended: 2, messages: 3, group: 4 };
