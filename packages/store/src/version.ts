// Which version of rows and commands is in force is replicated: a leader raises it with a command once every member
// understands it, and nothing that an older build could not read is written or sent before.

/** The last one that this build knows. 1: the first. 2: a state can be sent, and its hash is one that a walk recomputes. */
export const newestVersion = 2;

/** The state was raised to a version that this build does not know. It must be started by a newer one; nothing is wrong. */
export class StateTooNew extends Error {
  override readonly name = 'StateTooNew';
  readonly code = 'stateTooNew';
  readonly version: number;

  constructor(version: number) {
    super(`the state is of version ${version}, and this build knows up to ${newestVersion}: it needs a newer build`);
    this.version = version;
  }
}
