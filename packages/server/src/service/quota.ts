// Requests in progress on this node, counted and weighed before any work is done for them. A refusal is cheap, says how
// long to wait, and is counted under the name of its bound; nothing is dropped silently.
import { HoldfastError } from '@holdfast/api';

export interface QuotaBounds {
  readonly requestsInProgress: number;
  /** Bodies and headers of the messages in those requests. */
  readonly bytesInProgress: number;
}

const quotaBounds: QuotaBounds = { requestsInProgress: 20_000, bytesInProgress: 256 * 1024 * 1024 };

const retryAfterMs = 250;

export interface Quota {
  readonly requests: number;
  readonly bytes: number;
  /** Refusals by the name of their bound, since the start. */
  readonly refusals: ReadonlyMap<string, number>;
  /** @returns how to give it back, to be called once @throws HF_OVERLOADED */
  enter(): () => void;
  /** @returns how to give them back, to be called once @throws HF_OVERLOADED */
  weigh(bytes: number): () => void;
}

export function createQuota(bounds: QuotaBounds = quotaBounds): Quota {
  const refusals = new Map<string, number>();
  let requests = 0;
  let bytes = 0;
  const refuse = (bound: keyof QuotaBounds): never => {
    refusals.set(bound, (refusals.get(bound) ?? 0) + 1);
    throw new HoldfastError('HF_OVERLOADED', {
      detail: `The bound is ${bound}, ${bounds[bound]} on this node.`,
      retryAfterMs,
    });
  };
  return {
    get requests() {
      return requests;
    },
    get bytes() {
      return bytes;
    },
    refusals,
    enter() {
      if (requests >= bounds.requestsInProgress) return refuse('requestsInProgress');
      requests += 1;
      return () => {
        requests -= 1;
      };
    },
    weigh(weight) {
      if (bytes + weight > bounds.bytesInProgress) return refuse('bytesInProgress');
      bytes += weight;
      return () => {
        bytes -= weight;
      };
    },
  };
}
