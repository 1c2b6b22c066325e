/**
 * Every limit of the TCP transport; nobody configures them. Counted in `TcpTransport.counts`: what is too large for a frame
 * (`dropped.tooLarge` where it is sent, `broken.size` where it arrives) or for a queue (`dropped.queueFull`), strangers that are
 * too many or too slow (`strangers.tooMany`, `strangers.tooSlow`), and a connection that takes no bytes (`lost.silent`). The
 * others say how work is cut into pieces, and when an attempt is given up or made again.
 */
export const wireBounds = {
  /** One frame on the lane for bulk: the largest append is one entry of 4 MiB and what fits beside it. */
  maxBulkFrameBytes: 8 * 2 ** 20,
  maxControlFrameBytes: 2 ** 20,
  /** Waiting, or handed to the kernel and not taken yet. */
  maxBulkQueueBytes: 16 * 2 ** 20,
  maxControlQueueBytes: 2 * 2 ** 20,
  /** Handed to the kernel at once; each piece that is taken is a sign of life. */
  maxPieceBytes: 64 * 2 ** 10,
  /** Connections that have not introduced themselves. */
  maxStrangers: 64,
  /** From the first byte of a connection to the end of its handshake. */
  handshakeMs: 2000,
  connectMs: 1000,
  /** A node that gets its first peer while it runs, and can not listen, tries again after so long. */
  listenAgainMs: 1000,
  /** A connection that takes no bytes for so long is given up: its other end is gone without a word. */
  stallMs: 2000,
  /** A connection that lasted for less is not dialled again at once, but as after a failed attempt. */
  settledMs: 1000,
  /** Between two attempts: doubled each time, and drawn between half of it and all of it. */
  minRetryMs: 20,
  maxRetryMs: 500,
} as const;
