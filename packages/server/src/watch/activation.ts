// The active version: what the whole cluster may use of what its builds know. The leader raises it, once every member has
// said that it understands the next one (a rolling upgrade is over then), and it never falls.
import type { NodeId } from '@holdfast/raft';
import { newestVersion } from '@holdfast/store';

export interface ActivationPorts {
  /** This node leads and serves. */
  serving(): boolean;
  activeVersion(): number;
  /** Every other member, voter or learner. */
  others(): readonly NodeId[];
  /** What each of them speaks, as its last process said. */
  versions(): ReadonlyMap<NodeId, readonly number[]>;
  activate(version: number): Promise<unknown>;
}

export interface Activation {
  look(): void;
}

export function createActivation(ports: ActivationPorts): Activation {
  let isUnderWay = false;
  return {
    look() {
      const next = ports.activeVersion() + 1;
      if (isUnderWay || next > newestVersion || !ports.serving()) return;
      const versions = ports.versions();
      if (!ports.others().every((id) => versions.get(id)?.includes(next) === true)) return;
      isUnderWay = true;
      // Refused or lost: the next look, or the next leader, tries again.
      void ports.activate(next).finally(() => (isUnderWay = false));
    },
  };
}
