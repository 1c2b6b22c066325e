// The limits of the state. Every replica must apply with the same ones, or their rows differ.

export interface StoreLimits {
  readonly topics: number;
  readonly groupsPerTopic: number;
  /** How long it is known of an ended message how it ended, in ms. */
  readonly endedKeepMs: number;
}

export const defaultLimits: StoreLimits = { topics: 1_000, groupsPerTopic: 100, endedKeepMs: 7 * 24 * 3_600_000 };

/** Limits of one command. What exceeds a count is refused as `tooManyRows`; what exceeds a size is undecodable. */
export const commandBounds: {
  readonly messages: number;
  readonly leaseRows: number;
  readonly leaseRefs: number;
  readonly collectRows: number;
  readonly nameBytes: number;
  readonly idempotencyKeyBytes: number;
  readonly reasonBytes: number;
} = {
  messages: 10_000,
  leaseRows: 256,
  leaseRefs: 1_024,
  collectRows: 1_024,
  nameBytes: 255,
  idempotencyKeyBytes: 128,
  reasonBytes: 1_024,
};
