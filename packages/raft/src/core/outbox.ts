// Messages on their way out: those that may leave at once, and those that claim something that is not on this disk yet.
import type { Message, MessageBody, NodeId } from './message.ts';
import type { Raft } from './raft.ts';
import { isHardStateDurable } from './raft.ts';

/** Sends what claims nothing but the own term. */
export function send(raft: Raft, to: NodeId, body: MessageBody): void {
  if (isHardStateDurable(raft)) raft.outbox.push({ ...body, from: raft.config.id, to });
  else hold(raft, { ...body, from: raft.config.id, to });
}

/** Acknowledges everything up to `index`, once it is on this disk. */
export function sendAccepted(raft: Raft, to: NodeId, index: number): void {
  const message: Message = {
    kind: 'appendResponse',
    term: raft.term,
    accepted: true,
    index,
    hintIndex: 0,
    hintTerm: 0,
    applied: raft.applied,
    from: raft.config.id,
    to,
  };
  if (index <= raft.log.stableIndex && isHardStateDurable(raft)) raft.outbox.push(message);
  else hold(raft, message);
}

/**
 * One slot a receiver and kind: what is newer replaces what is older, so that a disk that stands still collects a
 * handful of messages and not thousands. Acknowledgements are cumulative, and keep the highest.
 */
function hold(raft: Raft, message: Message): void {
  const accepted = message.kind === 'appendResponse' && message.accepted;
  const slot = `${message.to} ${message.kind} ${accepted}`;
  const held = raft.held.get(slot);
  if (accepted && held?.kind === 'appendResponse' && held.index > message.index) return;
  raft.held.set(slot, message);
}
