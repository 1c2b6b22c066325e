import type { Check } from '../evidence.ts';

/** What the cluster counts is what clients did: nothing disappears uncounted, and nothing that is done stays. */
export const countsAddUp: Check = {
  says: 'counts add up, and nothing that everybody is done with stays',
  find({ history, counts }) {
    const found: string[] = [];
    for (const [topic, count] of counts) {
      const records = [...history.scheduled.values()].filter((record) => record.topic === topic);
      const stored = records.filter(({ outcome }) => outcome === 'stored').length;
      const perhaps = records.filter(({ outcome }) => outcome === 'unknown' || outcome === 'pending').length;
      if (count.scheduled < stored || count.scheduled > stored + perhaps)
        found.push(
          `${topic} counts ${count.scheduled} scheduled, and clients were told of ${stored}, and not told of ${perhaps}`,
        );
      if (count.stored !== 0) found.push(`${topic} still stores ${count.stored}, though everybody is done`);
      for (const group of count.groups) {
        const sum = group.acknowledged + group.dead + count.cancelled + count.stopped;
        if (group.outstanding !== 0 || sum < count.scheduled)
          found.push(`${topic}/${group.name} counts ${JSON.stringify({ ...count, groups: undefined, ...group })}`);
      }
    }
    return found;
  },
};
