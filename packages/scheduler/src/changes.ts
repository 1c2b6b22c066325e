// What an entry changed, taken up by the memory of this leadership: one row for each kind of change.
import type { Change, Position } from '@holdfast/store';
import type { Group } from './group.ts';
import type { Life } from './life.ts';

export interface ChangeHandlers {
  /** The group has something new to give, or a waiter may. */
  want(group: Group): void;
  leaseEnded(): void;
  begun(releaseFromMs: number): void;
  groupChanged(topic: number, group: number, state: 'active' | 'deleting' | 'deleted'): void;
}

type ChangeOf<K extends Change['kind']> = Extract<Change, { kind: K }>;
type Row<K extends Change['kind']> = (
  life: Life,
  handlers: ChangeHandlers,
  change: ChangeOf<K>,
  clockMs: number,
) => void;

const rows: { readonly [K in Change['kind']]: Row<K> } = {
  scheduled({ groups }, handlers, { topic, position }) {
    for (const group of groups.ofTopic(topic)) {
      group.upcoming.scheduled(position);
      // Only a new first row changes when the group is due.
      if (group.upcoming.nextMs >= position.fireAtMs) handlers.want(group);
    }
  },
  leased(life, _handlers, change, clockMs) {
    const group = touch(life, change);
    if (group !== undefined) life.leases.add(group, change, clockMs);
  },
  extended(life, _handlers, change) {
    const group = touch(life, change);
    if (group !== undefined) life.leases.extend(group, change.position.seq, change.untilMs);
  },
  retry(life, handlers, change) {
    const group = touch(life, change);
    if (group === undefined) return;
    life.leases.remove(group, change.position.seq);
    group.upcoming.retry(change.position, change.retryAtMs, change.retrySeq);
    handlers.want(group);
    handlers.leaseEnded();
  },
  settled(life, handlers, change) {
    const group = touch(life, change);
    if (group === undefined) return;
    life.leases.remove(group, change.position.seq);
    handlers.leaseEnded();
  },
  // The scheduler moved it, and knows; anything else shows when the next lease is refused.
  cursor() {},
  group(_life, handlers, { topic, group, state }) {
    handlers.groupChanged(topic, group, state);
  },
  // The proposal's verdict says the same, but a `begin` of unknown outcome may still be applied after the one that was heard.
  begun(_life, handlers, { releaseFromMs }) {
    handlers.begun(releaseFromMs);
  },
};

/** A slice of holds that is being read must not bring back what this change replaced. */
function touch(
  life: Life,
  change: { readonly topic: number; readonly group: number; readonly position: Position },
): Group | undefined {
  const group = life.groups.get(change.topic, change.group);
  group?.touched?.add(change.position.seq);
  return group;
}

export function takeUp<K extends Change['kind']>(
  life: Life,
  handlers: ChangeHandlers,
  change: ChangeOf<K> & { readonly kind: K },
  clockMs: number,
): void {
  rows[change.kind](life, handlers, change, clockMs);
}
