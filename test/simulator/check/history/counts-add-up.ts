import type { TopicCounts } from '../../work/client.ts';
import type { History, Tag } from '../../work/history.ts';
import type { Check } from '../evidence.ts';
import { perhapsEnded } from './perhaps-ended.ts';

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
      const tags = new Set(records.map(({ tag }) => tag));
      found.push(...endsOf(history, topic, count, tags), ...acknowledgementsOf(history, topic, count));
    }
    return found;
  },
};

/** How many messages ended by a cancel, against what those who asked for one were told. */
function endsOf({ cancelled }: History, topic: string, count: TopicCounts, tags: ReadonlySet<Tag>): readonly string[] {
  const ofTopic = cancelled.filter(({ tag }) => tags.has(tag));
  return (['cancelled', 'stopped'] as const).flatMap((end) => {
    const told = new Set(ofTopic.filter(({ verdict }) => verdict === end).map(({ tag }) => tag));
    const unanswered = ofTopic.filter(({ verdict }) => ['unknown', 'aborted', 'pending'].includes(verdict));
    const most = new Set([...told, ...unanswered.map(({ tag }) => tag)]).size;
    return count[end] < told.size || count[end] > most
      ? [`${topic} counts ${count[end]} ${end}, and clients were told so of ${told.size}, and perhaps of ${most}`]
      : [];
  });
}

/** Of groups that were there all the time. A late acknowledgement of what a cancel has ended is a success, and not counted. */
function acknowledgementsOf(history: History, topic: string, { groups }: TopicCounts): readonly string[] {
  const ended = perhapsEnded(history);
  const byReceipt = new Map(history.delivered.map((delivered) => [delivered.receipt, delivered]));
  const acks = history.settled.filter(({ verb, result }) => verb === 'ack' && result !== 'refused');
  return groups.flatMap(({ name, acknowledged }) => {
    if (!history.groups.has(`${topic}/${name}`)) return [];
    const ofGroup = acks.flatMap(({ receipt, result }) => {
      const delivered = byReceipt.get(receipt);
      return delivered?.topic === topic && delivered.group === name ? [{ tag: delivered.tag, result }] : [];
    });
    const told = new Set(ofGroup.filter(({ tag, result }) => result === 'ok' && !ended.has(tag)).map(({ tag }) => tag));
    const most = new Set(ofGroup.map(({ tag }) => tag)).size;
    return acknowledged < told.size || acknowledged > most
      ? [
          `${topic}/${name} counts ${acknowledged} acknowledged, clients were told so of ${told.size}, and asked for ${most}`,
        ]
      : [];
  });
}
