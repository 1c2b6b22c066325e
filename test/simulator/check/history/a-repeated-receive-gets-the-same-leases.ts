import { type Check, leaseKey } from '../evidence.ts';

/** While one lease runs that was made for a receive id, nothing more is leased for it; and a receive gets nothing else. */
export const aRepeatedReceiveGetsTheSameLeases: Check = {
  says: 'a repeated receive gets the leases that were made for it, and no others',
  find({ log, history }) {
    /** Running leases: whose they are, and at which index they were made. */
    const running = new Map<string, { readonly id: string; readonly index: number }>();
    const owners = new Map<number, string>();
    const found: string[] = [];
    for (const { index, changes } of log) {
      for (const change of changes) {
        if (change.kind === 'retry' || change.kind === 'settled')
          running.delete(leaseKey(change.topic, change.group, change.position));
        if (change.kind !== 'leased') continue;
        const id = Buffer.from(change.receiveId).toString('hex');
        const other = [...running.values()].find((lease) => lease.id === id && lease.index !== index);
        if (other !== undefined)
          found.push(`receive ${id.slice(0, 8)} got leases at index ${index}, and those of index ${other.index} run`);
        running.set(leaseKey(change.topic, change.group, change.position), { id, index });
        owners.set(change.token, id);
      }
    }
    for (const { receiveId, token, tag, atMs } of history.delivered) {
      const owner = owners.get(token);
      if (owner !== receiveId)
        found.push(
          `receive ${receiveId.slice(0, 8)} got ${tag} with token ${token} at ${atMs.toFixed(1)}, which the log gave to ${owner?.slice(0, 8) ?? 'nobody'}`,
        );
    }
    return found;
  },
};
