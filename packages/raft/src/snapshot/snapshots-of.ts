// Joins the snapshots of a member with its loop, its log and its transport.
import { configurationAt } from '../driver/formation/configurations.ts';
import type { Loop } from '../driver/loop.ts';
import type { RaftNodeOptions } from '../driver/raft-node.ts';
import type { Refusals } from '../driver/refusals.ts';
import { Snapshots } from './snapshots.ts';

export function snapshotsOf<Result>(
  { log, stateMachine, clock, random, transport, mayReceiveState }: RaftNodeOptions<Result>,
  loop: Loop<Result>,
  refusals: Refusals,
  onFailed: (error: unknown) => void,
): Snapshots {
  const snapshots: Snapshots = new Snapshots({
    log,
    stateMachine,
    clock,
    random,
    status: () => loop.status,
    configurationAt: (index) => configurationAt(log, index),
    sendControl: (to, bytes) => {
      if (!loop.hasEnded) transport.sendControl(to, bytes);
    },
    sendBulk: (to, bytes) => {
      if (!loop.hasEnded) transport.sendBulk(to, bytes);
    },
    count: (what) => refusals.count(what),
    // The core may have caught up by itself meanwhile.
    onReceived: (restore) =>
      loop.input((core) => {
        if (core.restore(restore) === 'unneeded') snapshots.notNeeded(restore.index);
      }),
    onInstalled: (peer, index) => loop.input((core) => core.snapshotInstalled(peer, index)),
    onFailed,
    mayReceive: () => mayReceiveState?.() ?? true,
  });
  return snapshots;
}
