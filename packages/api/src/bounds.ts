// Limits that a user can meet, with name and default. Each refusal names its bound.

export const bounds = {
  /** Bytes of one message's body. */
  bodyBytes: 1024 * 1024,
  /** Bytes of a message's headers: names, values, and 4 for each. */
  headerBytes: 16 * 1024,
  headersPerMessage: 64,
  /** Bytes of one request, as it arrives. */
  requestBytes: 6 * 1024 * 1024,
  /** Bytes of all bodies and headers of one batch: it must fit one command. */
  batchBytes: 3 * 1024 * 1024,
  messagesPerBatch: 1_000,
  /** Messages in the answer of one receive. */
  messagesPerReceive: 256,
  receiptsPerRequest: 256,
  messagesPerPage: 1_000,
  /** 9999-12-31T23:59:59.999Z, in ms since the epoch. */
  deliverAtMs: 253_402_300_799_999,
  /** 100 years of 365 days. */
  delayMs: 100 * 365 * 24 * 3_600_000,
  leaseMinMs: 100,
  leaseMs: 12 * 3_600_000,
  waitMs: 60_000,
  attempts: 1_000_000,
  idempotencyKeyBytes: 128,
  nameCharacters: 128,
  reasonCharacters: 200,
} as const;

export const defaults = {
  leaseMs: 30_000,
  waitMs: 0,
  maxAttempts: 16,
  backoffFirstMs: 1_000,
  backoffMaxMs: 600_000,
  /** How long the answer to an idempotency key is kept, at least. */
  idempotencyKeepMs: 600_000,
  pageMessages: 100,
} as const;
