// One turn: what the driver must do, and what it reports back.
import { assert } from './assert.ts';
import { isActive } from './election/check-quorum.ts';
import { voteLeaves } from './election/timer.ts';
import { maybeHandOver } from './election/transfer.ts';
import { forgetConfigurations } from './membership/in-force.ts';
import type { Entry, Message, NodeId } from './message.ts';
import type { Raft } from './raft.ts';
import { isHardStateDurable } from './raft.ts';
import type { Ready, Receipt, Write } from './ready.ts';
import { turnReads } from './replication/read-index.ts';
import { replicate } from './replication/replicate.ts';
import { restored } from './replication/restore.ts';

export function takeReady(raft: Raft, canWrite: boolean): Ready {
  turnReads(raft);
  if (raft.own.role === 'leader') {
    replicate(raft, raft.own);
    maybeHandOver(raft, raft.own);
  }
  const write = canWrite ? takeWrite(raft) : undefined;
  const messages = raft.outbox;
  raft.outbox = [];
  return {
    messages,
    write,
    committed: takeCommitted(raft),
    readStates: raft.reads.takeAnswers(),
    snapshotsFor: takeSnapshots(raft),
  };
}

function takeWrite(raft: Raft): Write | undefined {
  assert(raft.writing === undefined, 'a driver has one write in flight');
  const { restore } = raft;
  // The state is replaced as a whole: nothing may be under way to the old one then.
  if (restore !== undefined && raft.outstanding.length > 0) return undefined;
  const log = restore === undefined ? raft.log.takeWrite() : undefined;
  const hardState = isHardStateDurable(raft) ? undefined : { term: raft.term, vote: raft.vote };
  const messagesAfterWrite = takeHeld(raft, restore !== undefined);
  if (log === undefined && hardState === undefined && restore === undefined) {
    // What they claim has become durable with the write before.
    raft.outbox.push(...messagesAfterWrite);
    return undefined;
  }
  raft.writing = { hardState, hasEntries: log !== undefined, restore };
  return { hardState, truncateFrom: log?.truncateFrom, entries: log?.entries ?? [], restore, messagesAfterWrite };
}

/** Acknowledgements wait for the entries that they name, and a flip to another state brings none. */
function takeHeld(raft: Raft, isFlip: boolean): readonly Message[] {
  const leaving: Message[] = [];
  for (const [slot, message] of raft.held) {
    if (isFlip && message.kind === 'appendResponse' && message.accepted) continue;
    raft.held.delete(slot);
    leaving.push(message);
  }
  return leaving;
}

/** Followers that need the state itself. One that is silent would not take it either. */
function takeSnapshots(raft: Raft): readonly NodeId[] {
  const { own, now, config } = raft;
  if (own.role !== 'leader') return [];
  const wanting: NodeId[] = [];
  for (const [peer, progress] of own.followers) {
    if (isActive(raft, progress) && progress.askForSnapshot(now, config.electionMaxTicks)) wanting.push(peer);
  }
  return wanting;
}

/** Never beyond what is durable here: state would outlive its log after a crash. */
function takeCommitted(raft: Raft): readonly Entry[] {
  if (raft.restore !== undefined) return [];
  const available = Math.min(raft.commit, raft.log.stableIndex);
  const { maxApplyBytes } = raft.config;
  let outstandingBytes = 0;
  for (const piece of raft.outstanding) outstandingBytes += piece.bytes;
  if (available <= raft.handedOut || outstandingBytes >= maxApplyBytes) return [];
  const entries = raft.log.durableEntries(raft.handedOut + 1, available, maxApplyBytes);
  let bytes = 0;
  for (const entry of entries) bytes += entry.bytes.length;
  raft.handedOut += entries.length;
  raft.outstanding.push({ lastIndex: raft.handedOut, bytes });
  return entries;
}

export function takeReceipt(raft: Raft, receipt: Receipt): void {
  switch (receipt.kind) {
    case 'written': {
      const { writing } = raft;
      assert(writing !== undefined, 'only a write in flight can be finished');
      raft.writing = undefined;
      if (writing.hardState !== undefined) {
        raft.durable = writing.hardState;
        if (isHardStateDurable(raft)) voteLeaves(raft);
      }
      if (writing.hasEntries) raft.log.written(receipt.lastIndex, receipt.lastTerm);
      if (writing.restore !== undefined) restored(raft, writing.restore);
      return;
    }
    case 'applied':
      assert(receipt.index >= raft.applied && receipt.index <= raft.handedOut, 'applied is what was given out');
      raft.applied = receipt.index;
      raft.appliedAt = raft.now;
      forgetConfigurations(raft);
      while ((raft.outstanding[0]?.lastIndex ?? Number.POSITIVE_INFINITY) <= receipt.index) raft.outstanding.shift();
  }
}
