// The one question about the cluster that a client asks for itself. Nobody waits for it, and no answer is an answer.
import type { AnswerOf, RequestOf } from '@holdfast/api';
import type { NodeCaller } from '../carrier.ts';
import type { ClientClock } from '../clock.ts';

export interface Asking {
  readonly caller: NodeCaller;
  readonly clock: Pick<ClientClock, 'monotonicMs' | 'after'>;
}

const request: RequestOf<'cluster'> = { params: {}, query: {}, body: undefined, idempotencyKey: undefined };

/** @returns the API of the leader as `node` knows it; undefined when it knows none, or says nothing within `withinMs`. Never rejects */
export function whoLeads(
  { caller, clock }: Asking,
  node: string,
  withinMs: number,
  closing: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const controller = new AbortController();
    const settle = (leader: string | undefined): void => {
      cancelTimer();
      closing.removeEventListener('abort', leave);
      resolve(leader);
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
function leaderIn({ leader, members }: AnswerOf<'cluster'>): string | undefined {
  const api: unknown = members.find(({ id }) => id === leader)?.api;
  return typeof api === 'string' ? api : undefined;
}
