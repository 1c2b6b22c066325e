// What one caller, and all of them together, may take of a node before a request is even read.
import { bounds } from '@holdfast/api';

export const httpLimits = {
  /** A long poll holds one. More are closed at once, and counted. */
  connections: 4_096,
  /** Bytes of all header lines of a request. */
  headerBytes: 16 * 1024,
  /** A caller that sends its header lines more slowly is closed. */
  headersMs: 10_000,
  /** The same for the whole request: 6 MiB in this time are 1.7 Mbit/s. */
  requestMs: 30_000,
  /** How often slow callers are looked for. */
  slowCheckMs: 1_000,
  /** An idle connection is kept; longer than what forwarding nodes and common load balancers keep theirs (60 s). */
  keepAliveMs: 72_000,
  /** Nothing moved on a connection: longer than any long poll; closes callers that do not read their answer. */
  silentMs: bounds.waitMs + 30_000,
  /** Characters of one part of a path: longer ones meet no route. Names are checked by their schema, with a better answer. */
  pathPartCharacters: 4_096,
} as const;
