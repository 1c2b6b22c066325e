import type { Check } from './evidence.ts';

/** In true time, within the stated bound on clocks. */
export const nothingIsEarly: Check = {
  says: 'nothing is delivered before its time',
  find({ history, skewMs }) {
    return history.delivered.flatMap(({ tag, group, atMs }) => {
      const dueMs = history.scheduled.get(tag)?.dueMs;
      if (dueMs === undefined) return [`${tag} was delivered to ${group}, and nobody scheduled it`];
      return atMs + skewMs < dueMs
        ? [`${tag}, due at ${dueMs.toFixed(1)}, was delivered to ${group} at ${atMs.toFixed(1)}`]
        : [];
    });
  },
};
