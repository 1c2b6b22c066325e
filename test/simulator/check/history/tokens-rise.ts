import { type Check, leaseKey } from '../evidence.ts';

/** With every lease of a message: in the log, and one lease has one token for all who hear of it. */
export const tokensRise: Check = {
  says: 'the tokens of a message rise with every lease of it',
  find({ log, history }) {
    const last = new Map<string, { readonly token: number; readonly attempt: number }>();
    const found: string[] = [];
    for (const { index, changes } of log) {
      for (const change of changes) {
        if (change.kind !== 'leased') continue;
        const key = leaseKey(change.topic, change.group, change.position);
        const before = last.get(key);
        if (before !== undefined && change.token <= before.token)
          found.push(`index ${index}: ${key} is leased with token ${change.token} after ${before.token}`);
        last.set(key, change);
      }
    }
    const attempts = new Map<string, number>();
    for (const { tag, topic, group, token, attempt } of history.delivered) {
      const key = `${tag} in ${topic}/${group}, token ${token}`;
      const known = attempts.get(key) ?? attempt;
      if (known !== attempt) found.push(`${key} is attempt ${known} and ${attempt}`);
      attempts.set(key, attempt);
    }
    return found;
  },
};
