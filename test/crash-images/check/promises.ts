// What a node had promised when: read from the answers that left its sockets, each at its place in the record.

import type { Facts } from '../record/load.ts';
import { AnswerReader } from '../trace/answers.ts';
import type { Sent } from '../trace/operations.ts';

export interface Promised {
  readonly at: number;
  readonly kind: 'scheduled' | 'acknowledged';
  readonly id: string;
  /** Of an acknowledgement. */
  readonly group: string | undefined;
}

export class PromiseReader {
  readonly promised: Promised[] = [];
  readonly #answers = new AnswerReader();
  readonly #facts: Facts;
  readonly #api: string;

  constructor(facts: Facts, api: string) {
    this.#facts = facts;
    this.#api = api;
  }

  hear(sent: Sent): void {
    if (!sent.connection.startsWith(`${this.#api}->`)) return;
    for (const { status, body, at } of this.#answers.read(sent)) {
      if (status !== 200 || !isObject(body)) continue;
      for (const row of listOf(body['repeated'] === undefined ? undefined : body['messages'])) {
        const id = String(row['id']);
        // A client that was killed with the answer on its way does not know the id, and so not what its body should be.
        if (this.#facts.messages[id] !== undefined) this.promised.push({ at, kind: 'scheduled', id, group: undefined });
      }
      for (const { receipt, result } of listOf(body['results'])) {
        const of = this.#facts.receipts[String(receipt)];
        if (result === 'ok' && of !== undefined) this.promised.push({ at, kind: 'acknowledged', ...of });
      }
    }
  }
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isObject) : []);
