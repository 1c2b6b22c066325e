// Every limit of snapshots, with its default.
export const snapshotBounds = {
  /** Keys and values of one chunk, unless a single row is larger. Two of them are in memory on either side. */
  chunkBytes: 256 * 2 ** 10,
  /** A request without an answer is repeated after so long, or after twice the time that the last answer took if that is more ... */
  fetchRetryMs: 1_000,
  /** ... then after twice as long, until it is this ... */
  maxFetchRetryMs: 8_000,
  /** ... and no more once nothing has come for so long. What has come is kept: an offer of the same index goes on. */
  fetchGiveUpMs: 30_000,
  /** An export that nobody asks for is closed after so long: it keeps LevelDB from letting go of what was deleted. */
  exportIdleMs: 60_000,
  /** Between two steps of sweeping. */
  sweepEveryMs: 50,
} as const;
