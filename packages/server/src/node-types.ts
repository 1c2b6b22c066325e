// A node as its process sees it, started once or, with --rejoin, perhaps more than once.
import type { MemberLog, MemberStatus, Service } from './member.ts';

export interface NodeOptions {
  /** JSON lines on standard output when absent. */
  readonly log?: MemberLog;
  /** The node can not go on; its process should end with an exit code that is not 0. Called once. */
  readonly onFatal?: (error: Error) => void;
  /** Aborted: a start that waits for other nodes (--rejoin) is given up. */
  readonly signal?: AbortSignal;
}

export interface Node {
  readonly id: string;
  /** Where its API really is; http://host:port. */
  readonly api: string;
  readonly service: Service;
  status(): MemberStatus;
  /** In bounded time: answers who waits, writes what is pending, closes everything. Again: the same promise. */
  stop(): Promise<void>;
}
