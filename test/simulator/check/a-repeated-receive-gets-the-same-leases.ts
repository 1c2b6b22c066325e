import type { Check } from './evidence.ts';

/** A receive id serves once: whatever it gets, it gets by one command of the log, and a repeat makes nothing new. */
export const aRepeatedReceiveGetsTheSameLeases: Check = {
  says: 'a repeated receive gets the leases that were made for it, and no others',
  find({ log, history }) {
    const made = new Map<string, number>();
    const tokens = new Map<string, string>();
    const found: string[] = [];
    for (const { index, changes } of log) {
      for (const change of changes) {
        if (change.kind !== 'leased') continue;
        const id = Buffer.from(change.receiveId).toString('hex');
        const first = made.get(id) ?? index;
        made.set(id, first);
        tokens.set(`${change.token}`, id);
        if (first !== index) found.push(`receive ${id.slice(0, 8)} got leases at index ${first} and at index ${index}`);
      }
    }
    for (const { receiveId, token, tag, atMs } of history.delivered) {
      if (tokens.get(`${token}`) !== receiveId)
        found.push(
          `receive ${receiveId.slice(0, 8)} got ${tag} with token ${token} at ${atMs.toFixed(1)}, which the log gave to ${tokens.get(`${token}`)?.slice(0, 8) ?? 'nobody'}`,
        );
    }
    return found;
  },
};
