// One idempotency key of one topic: the first answer, and that one again for ever.
import type { Specification } from './operation.ts';

export const firstAnswer: Specification<string | undefined, 'ask', string> = {
  initial: undefined,
  step(first, _call, answer) {
    // What nobody was told changes nothing that somebody could be told: an answer that comes later may be its answer.
    if (answer === undefined) return [];
    if (first === undefined || first === answer) return [answer];
    return `the first answer was ${first}`;
  },
  textOf: (first) => first ?? '-',
  describe: (_call, answer) => `asked, and told ${answer ?? 'nothing'}`,
};
