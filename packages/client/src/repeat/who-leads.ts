// The one question about the cluster that a client asks for itself. Nobody waits for it, and no answer is an answer.
import type { AnswerOf, RequestOf } from '@holdfast/api';
import type { NodeCaller } from '../carrier.ts';
import type { ClientClock } from '../clock.ts';

export interface Asking {
  readonly caller: NodeCaller;
  readonly clock: Pick<ClientClock, 'monotonicMs' | 'after'>;
}

const request: RequestOf<'cluster'> = { params: {}, query: {}, body: undefined, idempotencyKey: undefined };

export interface Leading {
  readonly api: string;
  readonly term: number;
}

/** @returns who leads as `node` knows it; undefined when it knows of nobody, or says nothing within `withinMs`. Never rejects */
export function whoLeads(
  { caller, clock }: Asking,
  node: string,
  withinMs: number,
  closing: AbortSignal,
): Promise<Leading | undefined> {
  return new Promise((resolve) => {
    const controller = new AbortController();
    const settle = (leading: Leading | undefined): void => {
      cancelTimer();
      closing.removeEventListener('abort', leave);
      resolve(leading);
    };
    const leave = (): void => {
      settle(undefined);
      controller.abort();
    };
    const cancelTimer = clock.after(withinMs, leave);
    closing.addEventListener('abort', leave, { once: true });
    void caller
      .call(node, 'cluster', request, controller.signal)
      .then(leaderIn)
      // The calls themselves will meet whatever is wrong with this node, or with what answers in its place.
      .catch(() => undefined)
      .then(settle);
  });
}

/** @throws TypeError for what is no answer: answers are not checked, and anything may listen at an address */
function leaderIn({ leader, term, members }: AnswerOf<'cluster'>): Leading | undefined {
  const api: unknown = members.find(({ id }) => id === leader)?.api;
  return typeof api === 'string' && Number.isSafeInteger(term) ? { api, term } : undefined;
}
