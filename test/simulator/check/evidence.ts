// What the checks of a finished run look at: what clients saw in true time, and what the log says, in its own order.
import type { Change, Command, Verdict } from '@holdfast/store';
import type { TopicCounts } from '../work/client.ts';
import type { History } from '../work/history.ts';

/** One entry of the longest log, applied again from the beginning on a store of its own. */
export interface LoggedEntry {
  readonly index: number;
  readonly term: number;
  /** Cluster time at this entry. */
  readonly clockMs: number;
  readonly commands: readonly { readonly command: Command; readonly verdict: Verdict }[];
  readonly changes: readonly Change[];
}

export interface Evidence {
  readonly history: History;
  readonly log: readonly LoggedEntry[];
  /** How far cluster time may be ahead of the truth, in ms. */
  readonly skewMs: number;
  /** How far cluster time may be behind: what a leader knows of a clock is as old as the message that told it. */
  readonly clockLagMs: number;
  /** True ms: nothing is broken from here on. */
  readonly mendedMs: number;
  /** When requests of clients, and answers to them, were lost. */
  readonly clientLosses: readonly { readonly fromMs: number; readonly untilMs: number }[];
  readonly endedMs: number;
  /** As the cluster counted at the end, by topic. */
  readonly counts: ReadonlyMap<string, TopicCounts>;
  /** What a delivery may take when nothing is broken: commits, and the work of its consumer before it. */
  readonly slackMs: number;
  /** Consumers never walk away and leases outlast the run: whatever comes late or twice is the cluster's doing. */
  readonly patient: boolean;
  /** Nothing was broken, and nobody walked away: every lease that was made reached somebody, and nothing was repeated. */
  readonly undisturbed: boolean;
  /** Clients always reach whoever leads, so an acknowledgement that was sent in time is heard in time. */
  readonly acksReach: boolean;
}

/** A rule in words, and who breaks it. */
export interface Check {
  readonly says: string;
  find(evidence: Evidence): readonly string[];
}

export const leaseKey = (
  topic: number,
  group: number,
  position: { readonly fireAtMs: number; readonly seq: number },
): string => `${topic}/${group} ${position.fireAtMs}.${position.seq}`;
