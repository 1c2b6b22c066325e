// Gathers acknowledgements: what finishes in one turn of the event loop, or while a request is under way, goes together.
import { type AnswerOf, bounds } from '@holdfast/api';
import type { ClientClock } from '../clock.ts';

/** `error`: no node said whether it was taken. */
type AckOutcome = AnswerOf<'ack'>['results'][number]['result'] | { readonly error: unknown };

export interface AcknowledgerOptions {
  readonly clock: Pick<ClientClock, 'after'>;
  ack(receipts: string[]): Promise<AnswerOf<'ack'>['results']>;
  /** Called once for each receipt. It must not throw. */
  onSettled(receipt: string, outcome: AckOutcome): void;
}

export class Acknowledger {
  readonly #options: AcknowledgerOptions;
  #waiting: string[] = [];
  #sending = false;

  constructor(options: AcknowledgerOptions) {
    this.#options = options;
  }

  add(receipt: string): void {
    this.#waiting.push(receipt);
    if (this.#sending) return;
    this.#sending = true;
    this.#options.clock.after(0, () => void this.#send());
  }

  async #send(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const receipts = this.#waiting.splice(0, bounds.receiptsPerRequest);
        const outcomeOf = await this.#ask(receipts);
        for (const receipt of receipts) this.#options.onSettled(receipt, outcomeOf(receipt));
      }
    } finally {
      this.#sending = false;
    }
  }

  /** Never rejects. */
  async #ask(receipts: string[]): Promise<(receipt: string) => AckOutcome> {
    try {
      const results = new Map((await this.#options.ack(receipts)).map(({ receipt, result }) => [receipt, result]));
      return (receipt) => results.get(receipt) ?? 'notFound';
    } catch (error) {
      return () => ({ error });
    }
  }
}
