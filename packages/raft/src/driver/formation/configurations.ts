// Who the members are, as the core begins with it: what the log says, and before that the founding.

import { strict as assert } from 'node:assert';
import { decodeConfiguration, encodeConfiguration } from '../../core/membership/configuration.ts';
import type { LoggedConfiguration } from '../../core/membership/roster.ts';
import type { LogStore } from '../../log/log-store.ts';
import { RaftError } from '../../raft-error.ts';

/** @throws RaftError HF_LOG_CORRUPT when an entry of the log says nothing that can be read */
export function configurationsOf({ configurations, identity }: LogStore): readonly LoggedConfiguration[] {
  const said = configurations.map(({ index, configuration: bytes }) => {
    const configuration = decodeConfiguration(bytes);
    if (configuration !== undefined) return { index, configuration };
    throw new RaftError('HF_LOG_CORRUPT', `The entry at ${index} does not say who the members are.`, { index });
  });
  // Whoever is taken in learns from the log who the members are, and has no vote before.
  if (identity.members.length === 0) return said;
  const incarnations = identity.founding?.record.incarnations ?? {};
  const voters = identity.members.map((id) => ({ id, incarnation: incarnations[id] ?? '', address: '' }));
  return [{ index: 0, configuration: { voters, learners: [] } }, ...said];
}

/** Who they were at `index`, encoded: what a snapshot that ends there says. */
export function configurationAt(log: LogStore, index: number): Uint8Array {
  const inForce = configurationsOf(log).findLast((it) => it.index <= index);
  assert(inForce !== undefined, 'the founding stands before every index');
  return encodeConfiguration(inForce.configuration);
}
