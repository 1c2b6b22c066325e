// What carries a request to one cluster. Three of them: HTTP (here), local (package holdfast), simulated (tests).
import type { AnswerOf, RequestOf, Verb } from '@holdfast/api';

export interface CarrierCallOptions {
  readonly signal?: AbortSignal;
  /** Called before each attempt is sent. */
  readonly onAttempt?: () => void;
}

export interface Carrier {
  /**
   * Repeats as long as that is safe: the same idempotency key, the same receive id, acks until a leader answers.
   * @throws HoldfastError; OutcomeUnknownError when a write may have been applied and no node said so in time
   */
  call<V extends Verb>(verb: V, request: RequestOf<V>, options: CarrierCallOptions): Promise<AnswerOf<V>>;
  close(): Promise<void>;
}

/** One attempt at one node. @throws HoldfastError for the node's answer, NodeUnreachable for everything else */
export interface NodeCaller {
  call<V extends Verb>(node: string, verb: V, request: RequestOf<V>, signal: AbortSignal): Promise<AnswerOf<V>>;
  close(): Promise<void>;
}

/** The node did not answer. `sent`: it may have got the request. */
export class NodeUnreachable extends Error {
  readonly sent: boolean;
  constructor(node: string, sent: boolean, options?: ErrorOptions) {
    super(`${node} did not answer`, options);
    this.name = 'NodeUnreachable';
    this.sent = sent;
  }
}
