import { type Check, type LoggedEntry, leaseKey } from '../evidence.ts';

/** In the order of the log: a lease begins only where none runs, and one that runs ends by an ack, a nack, or its time. */
export const leasesNeverOverlap: Check = {
  says: 'two leases of one message in one group never overlap, and none ends before its time without a nack',
  find({ log }) {
    const running = new Map<string, { readonly token: number; untilMs: number }>();
    const found: string[] = [];
    for (const entry of log) {
      const { index, clockMs, changes } = entry;
      for (const change of changes) {
        if (
          change.kind !== 'leased' &&
          change.kind !== 'extended' &&
          change.kind !== 'retry' &&
          change.kind !== 'settled'
        )
          continue;
        const key = leaseKey(change.topic, change.group, change.position);
        const current = running.get(key);
        switch (change.kind) {
          case 'leased':
            if (current !== undefined)
              found.push(
                `index ${index}: ${key} is leased with token ${change.token} while token ${current.token} runs until ${current.untilMs}`,
              );
            running.set(key, { token: change.token, untilMs: change.untilMs });
            break;
          case 'extended':
            if (current?.token !== change.token)
              found.push(
                `index ${index}: ${key} is extended for token ${change.token}, and ${current?.token ?? 'none'} runs`,
              );
            else current.untilMs = change.untilMs;
            break;
          case 'retry':
          case 'settled':
            if (current !== undefined && clockMs < current.untilMs && onlyReleased(entry, key))
              found.push(`index ${index}: ${key} is released at ${clockMs}, before ${current.untilMs}`);
            if (change.kind === 'settled' && change.how === 'ended' && current !== undefined)
              found.push(`index ${index}: ${key} is ended for all while token ${current.token} runs`);
            running.delete(key);
            break;
        }
      }
    }
    return found;
  },
};

/** Nobody but the scheduler asked for the end of this lease. */
function onlyReleased({ commands }: LoggedEntry, key: string): boolean {
  const asked = commands.filter(
    ({ command }) =>
      'leases' in command &&
      command.leases.some(({ position }) => leaseKey(command.topic, command.group, position) === key),
  );
  return asked.length > 0 && asked.every(({ command }) => command.kind === 'release');
}
