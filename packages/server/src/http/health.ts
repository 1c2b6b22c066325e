// For load balancers, container engines and people: does the process live, and would a request be served.
import type { MemberStatus } from '../member.ts';

export interface Health {
  readonly ok: boolean;
  /** Facts, shown as JSON. */
  readonly body: Readonly<Record<string, string | number | boolean>>;
}

export interface HealthSources {
  /** undefined while the node starts. */
  readonly status: () => MemberStatus | undefined;
  readonly stopping: () => boolean;
  /** Why the node can not go on. */
  readonly fatal: () => Error | undefined;
}

/** The process lives and may stay: a restart would help only when this fails. */
export function livez({ fatal }: HealthSources): Health {
  const error = fatal();
  return error === undefined
    ? { ok: true, body: { live: true } }
    : { ok: false, body: { live: false, because: error.message } };
}

/** A request to this node would be served: it runs, and a leader is known. */
export function readyz(sources: HealthSources): Health {
  const notReady = (because: string): Health => ({ ok: false, body: { ready: false, because } });
  const error = sources.fatal();
  if (error !== undefined) return notReady(error.message);
  if (sources.stopping()) return notReady('it is stopping');
  const status = sources.status();
  if (status === undefined) return notReady('it has not started yet');
  const { raft, serving } = status;
  if (raft.leader === undefined) return notReady('no leader is known');
  if (raft.leader === raft.id && !serving) return notReady('it leads, and does not serve yet');
  return { ok: true, body: { ready: true, leader: raft.leader, term: raft.term, applied: raft.applied } };
}
