// What members of different builds agree on. A version is one number for everything that members say to each other and
// leave in the log. Each build knows several; each connection speaks the highest that both ends know; and one version is
// active in the whole group, held by the state machine: what a version brings is used once it is active, and not before.

/**
 * What this build speaks, ascending. Builds from before there were two name none in their hello, and take a greeting whose
 * `version` is 1: so a greeting says its lowest there and all of them in the hello, and a welcome says what was agreed on.
 */
export const protocolVersions: readonly ProtocolVersion[] = [1, 2];
/** A version that this build knows. */
export type ProtocolVersion = 1 | 2;

/** The version that brings it: members of builds that know only earlier ones do not understand it. */
const broughtBy = {
  /** A state is sent to whoever lacks entries that are compacted; so before it nothing is compacted (thesis 5). */
  snapshots: 2,
  /** Reads on every member, without an entry (thesis 6.4). */
  readIndex: 2,
  /** Leadership is handed over (thesis 3.10). */
  transfer: 2,
  /** Members come and go (thesis 4). */
  membership: 2,
} as const satisfies Readonly<Record<string, ProtocolVersion>>;

/** What not all versions have. */
export type Feature = keyof typeof broughtBy;

/** Does this version have it? @param version the active one, or the one of a connection */
export function brings(version: number, feature: Feature): boolean {
  return version >= broughtBy[feature];
}
