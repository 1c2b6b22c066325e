// What clients saw, written down as it happens, so that it survives whatever breaks. Times: ms since the epoch, one host.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export type HistoryEvent =
  | { readonly kind: 'scheduleInvoked'; readonly number: number; readonly atMs: number; readonly dueMs: number }
  | {
      readonly kind: 'scheduleEnded';
      readonly number: number;
      readonly atMs: number;
      readonly outcome: 'ok' | 'failed' | 'unknown';
      readonly id?: string;
      readonly deliverAtMs?: number;
    }
  /** The key is the request's idempotency key: it tells overlapping cancels of one message apart. */
  | { readonly kind: 'cancelInvoked'; readonly id: string; readonly key: string; readonly atMs: number }
  | {
      readonly kind: 'cancelEnded';
      readonly id: string;
      readonly key: string;
      readonly atMs: number;
      /** `unknown` when no answer came. */
      readonly verdict: string;
      readonly leasedUntilMs?: number;
      readonly attempts?: number;
    }
  /** A get that was answered; one that was not changed nothing. */
  | {
      readonly kind: 'looked';
      readonly id: string;
      readonly invokedMs: number;
      readonly atMs: number;
      /** `notFound` among the states. */
      readonly state: string;
      readonly groups: readonly { readonly group: string; readonly state: string; readonly attempts: number }[];
    }
  | {
      readonly kind: 'received';
      readonly group: string;
      readonly number: number;
      readonly id: string;
      readonly token: number;
      readonly attempt: number;
      readonly invokedMs: number;
      readonly atMs: number;
      readonly leasedUntilMs: number;
      readonly leaseMs: number;
      readonly receiveId: string;
    }
  | {
      readonly kind: 'settleInvoked';
      readonly how: 'ack' | 'nack' | 'extend';
      readonly group: string;
      readonly id: string;
      readonly token: number;
      readonly atMs: number;
    }
  | {
      readonly kind: 'settleEnded';
      readonly how: 'ack' | 'nack' | 'extend';
      readonly group: string;
      readonly id: string;
      readonly token: number;
      readonly atMs: number;
      readonly result: string;
      readonly leasedUntilMs?: number;
      /** How often the request was sent. */
      readonly sent: number;
    }
  | { readonly kind: 'fault'; readonly atMs: number; readonly what: string }
  /** What no node does, whatever is done to it: to end by itself, or to answer that it met a fault of its own. */
  | { readonly kind: 'ownFault'; readonly atMs: number; readonly what: string }
  | {
      readonly kind: 'final';
      readonly atMs: number;
      readonly stateHashes: readonly string[];
      readonly groups: readonly {
        readonly group: string;
        readonly acknowledged: number;
        readonly outstanding: number;
        readonly dead: number;
      }[];
      readonly scheduled: number;
      readonly cancelled: number;
      readonly stopped: number;
    };

export class History {
  readonly path: string;
  readonly events: HistoryEvent[] = [];

  constructor(path: string) {
    this.path = path;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
  }
  add(event: HistoryEvent): void {
    this.events.push(event);
    appendFileSync(this.path, `${JSON.stringify(event)}\n`);
  }
}
