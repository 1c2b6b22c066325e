// What the functions of the service work with: the replica, and whether this node may answer at this moment.
import { HoldfastError } from '@holdfast/api';
import type { Scheduler } from '@holdfast/scheduler';
import type { GroupInfo, TopicInfo, View } from '@holdfast/store';
import type { Backups } from '../backup/backups.ts';
import type { MemberStatus, Peer } from '../member.ts';
import type { Replica } from '../replica.ts';

/** One leadership that serves: it is not in doubt, and its scheduler runs. */
export interface Leading {
  readonly term: number;
  readonly scheduler: Scheduler;
}

export interface Desk {
  readonly replica: Pick<Replica, 'store' | 'propose'>;
  readonly membership: Pick<Replica, 'changeMembership' | 'transferLeadership'>;
  readonly backups: Pick<Backups, 'begin'>;
  readonly self: Peer;
  /** Who takes part, this node among them once it does. */
  peers(): readonly Peer[];
  status(): MemberStatus;
  /** Asked anew for each answer: doubt is a function, not an event. @throws HF_NO_LEADER, HF_STOPPING */
  leading(): Leading;
  /** Asked before anything new is stored. @throws HF_DISK_LOW */
  requireRoom(): void;
  /** Drawn here for a receive that brings no id of its own. */
  randomBytes(count: number): Uint8Array;
}

/**
 * Reads by one view, and answers only if this node still served the same leadership after reading: during a read that
 * took long another leader may have been elected, and have changed what was read.
 *
 * @throws HF_NO_LEADER, HF_STOPPING
 */
export async function readLeading<Result>(
  desk: Desk,
  read: (view: View, leading: Leading) => Result | Promise<Result>,
): Promise<Result> {
  const leading = desk.leading();
  const view = desk.replica.store.view();
  try {
    const result = await read(view, leading);
    if (desk.leading().scheduler !== leading.scheduler) throw new HoldfastError('HF_NO_LEADER');
    return result;
  } finally {
    await view.close();
  }
}

/** Reads by one view; the service has made sure that it may be read here and now (service/reads.ts). */
export async function readHere<Result>(desk: Desk, read: (view: View) => Result | Promise<Result>): Promise<Result> {
  const view = desk.replica.store.view();
  try {
    return await read(view);
  } finally {
    await view.close();
  }
}

/** @throws HF_TOPIC_NOT_FOUND */
export function topicOf(view: View, name: string): TopicInfo {
  const topic = view.topicByName(name);
  if (topic === undefined) throw new HoldfastError('HF_TOPIC_NOT_FOUND');
  return topic;
}

/** @throws HF_TOPIC_NOT_FOUND, HF_GROUP_NOT_FOUND also for a group that is being deleted */
export function activeGroupOf(view: View, names: { readonly topic: string; readonly group: string }): GroupInfo {
  const group = view.groupByName(topicOf(view, names.topic).number, names.group);
  if (group === undefined || group.state !== 'active') throw new HoldfastError('HF_GROUP_NOT_FOUND');
  return group;
}
