import type { Check } from '../evidence.ts';

/** A request that is repeated with its key has one answer, for ever and from any node, and happens once. */
export const theFirstAnswerStands: Check = {
  says: 'the first answer to an idempotency key is the only one',
  find({ history, log }) {
    const answers = new Map<string, string>();
    const found: string[] = [];
    for (const { key, answer, endedMs } of history.keyed) {
      const first = answers.get(key) ?? answer;
      answers.set(key, first);
      if (first !== answer)
        found.push(`${key.slice(0, 8)} was answered ${first}, and at ${endedMs.toFixed(1)} ${answer}`);
    }
    const stored = new Map<string, string>();
    for (const { index, command, verdict } of log.flatMap((entry) =>
      entry.commands.map((one) => ({ index: entry.index, ...one })),
    )) {
      if (command.kind !== 'schedule' || verdict.kind !== 'scheduled') continue;
      const tags = command.messages.map(({ body }) => Buffer.from(body).toString()).join();
      const positions = JSON.stringify(verdict.positions);
      const first = stored.get(tags) ?? positions;
      stored.set(tags, first);
      if (first !== positions)
        found.push(`index ${index}: ${tags} is stored a second time, at ${positions} and ${first}`);
    }
    return found;
  },
};
