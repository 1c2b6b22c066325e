// Messages as a user sees them: kept, listed, looked at, delivered, given up.
import type { AnswerOf } from '@holdfast/api';

export interface Scheduled {
  readonly id: string;
  /** The instant that was kept, ms since the epoch. */
  readonly deliverAtMs: number;
}

export interface ListedMessage extends Scheduled {
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON value or the bytes, unchecked. */
  readonly payload: unknown;
}

/** Where a message stands in each group, or how it ended. `payload` is there as long as the message is. */
export type MessageSeen = Omit<AnswerOf<'get'>, 'body' | 'bodyBase64' | 'bodyBytes'> & { readonly payload?: unknown };

export interface Delivery<Payload> {
  readonly id: string;
  readonly payload: Payload;
  readonly headers: Readonly<Record<string, string>>;
  /** 1 for the first. */
  readonly attempt: number;
  /** Fencing token: rises with every lease of the message. */
  readonly token: number;
  /** The handle of this lease, for ack, nack and extend. */
  readonly receipt: string;
  /** When it was due, ms since the epoch. */
  readonly deliverAtMs: number;
  /** When the lease ends, ms since the epoch, by the cluster's clock. */
  readonly leasedUntilMs: number;
}

export interface DeadLetter extends ListedMessage {
  readonly attempts: number;
  readonly reason: string;
}
