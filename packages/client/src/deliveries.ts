// What goes out to one group and comes back: the requests behind a group and its workers.
import { type AnswerOf, bounds } from '@holdfast/api';
import type { CarrierCallOptions } from './carrier.ts';
import { type CallOptions, type ClientParts, type Duration, signalOf } from './client-parts.ts';
import type { Delivery } from './message.ts';
import { type PayloadCodec, reasonOf } from './payload.ts';

export interface GroupSettings {
  /**
   * Where a new group begins: 'earliest' (by default) has everything that waits; 'now', or an instant in the past (ISO 8601,
   * or ms since the epoch), has what is due after it.
   */
  readonly start?: string | number;
  /** After so many a message becomes a dead letter; 16 by default. */
  readonly maxAttempts?: number;
  /** Before the second attempt; doubles with each further one. 1 s by default. */
  readonly backoffFirst?: Duration;
  /** The longest pause between two attempts; 10 minutes by default. */
  readonly backoffMax?: Duration;
}

export interface NackOptions extends CallOptions {
  /** Until the next attempt; without it, the group's back-off decides. */
  readonly delay?: Duration;
  /** Kept with the message, and shown when it becomes a dead letter; at most 200 characters. */
  readonly reason?: string;
}

/** One receive. With an id of the caller's it can be repeated. */
export interface Pull {
  readonly max: number;
  readonly leaseMs: number;
  readonly waitMs: number;
  readonly receiveId?: string;
  readonly repeated?: boolean;
}

export interface GroupParts<Payload> extends ClientParts {
  readonly params: { readonly topic: string; readonly group: string };
  readonly codec: Pick<PayloadCodec<never, Payload>, 'decode'>;
  readonly settings: GroupSettings;
}

export class Deliveries<Payload> {
  readonly #parts: GroupParts<Payload>;
  readonly #inGroup: {
    readonly params: { readonly topic: string; readonly group: string };
    readonly query: Record<string, never>;
    readonly idempotencyKey: undefined;
  };

  constructor(parts: GroupParts<Payload>) {
    this.#parts = parts;
    this.#inGroup = { params: parts.params, query: {}, idempotencyKey: undefined };
  }

  /** What can not be decoded is given back with the reason, not returned. @param onRefused hears of it, and of a failure to give back */
  async pull(
    pull: Pull,
    options: CarrierCallOptions,
    onRefused?: (error: unknown) => void,
  ): Promise<Delivery<Payload>[]> {
    const { leaseMs, waitMs, ...rest } = pull;
    const { carrier, settings, codec } = this.#parts;
    const body = { ...rest, lease: leaseMs, wait: waitMs, create: { start: 'earliest', ...settings } };
    const { messages } = await carrier.call('receive', { ...this.#inGroup, body }, options);
    const deliveries = await Promise.all(
      messages.map(async (message): Promise<Delivery<Payload> | undefined> => {
        const { id, receipt, attempt, token, deliverAtMs, leasedUntilMs, headers } = message;
        try {
          const payload = await codec.decode(message);
          return { id, payload, headers, attempt, token, receipt, deliverAtMs, leasedUntilMs };
        } catch (error) {
          onRefused?.(error);
          // Not awaited: the others do not wait for it, nor fall with it.
          this.nack([receipt], { reason: reasonOf(error) }).catch((failure: unknown) => onRefused?.(failure));
          return undefined;
        }
      }),
    );
    return deliveries.filter((delivery) => delivery !== undefined);
  }

  ack(receipts: string[], options: CallOptions): Promise<AnswerOf<'ack'>['results']> {
    const { carrier } = this.#parts;
    return inPieces(receipts, (some) =>
      carrier.call('ack', { ...this.#inGroup, body: { receipts: some } }, signalOf(options)),
    );
  }

  nack(receipts: string[], options: NackOptions): Promise<AnswerOf<'nack'>['results']> {
    const { carrier } = this.#parts;
    const { delay, reason } = options;
    const how = { ...(delay === undefined ? {} : { delay }), ...(reason === undefined ? {} : { reason }) };
    return inPieces(receipts, (some) =>
      carrier.call('nack', { ...this.#inGroup, body: { receipts: some, ...how } }, signalOf(options)),
    );
  }

  extend(receipts: string[], lease: Duration, options: CallOptions): Promise<AnswerOf<'extend'>['results']> {
    const { carrier } = this.#parts;
    return inPieces(receipts, (some) =>
      carrier.call('extend', { ...this.#inGroup, body: { receipts: some, lease } }, signalOf(options)),
    );
  }
}

/** In pieces that a node takes, one after the other. */
async function inPieces<Result>(
  receipts: readonly string[],
  send: (receipts: string[]) => Promise<{ readonly results: readonly Result[] }>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < receipts.length; at += bounds.receiptsPerRequest)
    results.push(...(await send(receipts.slice(at, at + bounds.receiptsPerRequest))).results);
  return results;
}
