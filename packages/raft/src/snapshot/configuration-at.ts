// Who the members were at an index of the log: what a snapshot that ends there says.
import { encodeConfiguration } from '../core/membership/configuration.ts';
import type { LogStore } from '../log/log-store.ts';

/** The newest configuration at or before `index`, encoded; the founding record's when none was ever said. */
export function configurationAt({ configurations, identity }: LogStore, index: number): Uint8Array {
  const said = configurations.findLast((it) => it.index <= index);
  if (said !== undefined) return said.configuration;
  const incarnations = identity.founding?.record.incarnations ?? {};
  const voters = identity.members.map((id) => ({ id, incarnation: incarnations[id] ?? '', address: '' }));
  return encodeConfiguration({ voters, learners: [] });
}
