// The core of a member, with its settings in ticks.
import { createCore } from '../../core/core.ts';
import type { Core } from '../../core/types.ts';
import { encodeEntry } from '../../log/entry.ts';
import { driverBounds } from '../bounds.ts';
import { configurationsOf } from '../formation/configurations.ts';
import type { RaftNodeOptions } from '../raft-node.ts';

export function coreOf<Result>({ id, log, stateMachine, timing, random }: RaftNodeOptions<Result>): Core {
  const ticks = (ms: number): number => Math.max(1, Math.round(ms / timing.tickMs));
  return createCore(
    {
      id,
      heartbeatTicks: ticks(timing.heartbeatMs),
      electionMinTicks: ticks(timing.electionMinMs),
      electionMaxTicks: ticks(timing.electionMaxMs),
      fastElectionTicks: ticks(timing.fastElectionMs),
      maxAppendBytes: driverBounds.maxAppendBytes,
      maxInflightAppends: driverBounds.maxInflightAppends,
      maxInflightBytes: driverBounds.maxInflightBytes,
      maxUncommittedBytes: driverBounds.maxUncommittedBytes,
      maxApplyBytes: driverBounds.maxApplyBytes,
      random,
      encode: encodeEntry,
    },
    { hardState: log.hardState, log, applied: stateMachine.applied.index, configurations: configurationsOf(log) },
  );
}
