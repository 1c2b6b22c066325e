import type { Check } from '../evidence.ts';
import { perhapsEnded } from './perhaps-ended.ts';

/** A message whose schedule was answered reaches every group, and is acknowledged there, unless a cancel ended it. */
export const nothingAcknowledgedIsLost: Check = {
  says: 'nothing that was acknowledged is lost',
  find({ history }) {
    const acknowledged = new Set(
      history.settled.filter(({ verb, result }) => verb === 'ack' && result === 'ok').map(({ receipt }) => receipt),
    );
    const finished = new Set(
      history.delivered.filter(({ receipt }) => acknowledged.has(receipt)).map(({ tag, group }) => `${tag} ${group}`),
    );
    const ended = perhapsEnded(history);
    const groups = [...history.groups].map((name) => name.split('/'));
    const lost: string[] = [];
    for (const { tag, topic, outcome, endedMs } of history.scheduled.values()) {
      if (outcome !== 'stored' || ended.has(tag)) continue;
      for (const [ofTopic, group] of groups) {
        if (ofTopic === topic && !finished.has(`${tag} ${group}`))
          lost.push(`${tag}, stored at ${endedMs.toFixed(1)}, was never finished by ${topic}/${group}`);
      }
    }
    return lost;
  },
};
