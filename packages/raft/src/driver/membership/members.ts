// Who takes part, as far as this node knows: what its log says, committed or not; what was in force before, as long as the
// newest is not committed; and what a leader has told it, as long as its log does not say so itself.
import type { ConfigMember, Configuration } from '../../core/membership/configuration.ts';
import type { LoggedConfiguration } from '../../core/membership/roster.ts';
import type { NodeId } from '../../core/message.ts';
import type { CoreStatus } from '../../core/types.ts';
import type { ToldMembers } from '../../log/founding.ts';
import { foundersOf } from '../../log/identity.ts';
import type { LogStore } from '../../log/log-store.ts';
import { configurationsOf } from '../formation/configurations.ts';

type Status = Pick<CoreStatus, 'configuration' | 'configurationIndex' | 'committedConfiguration' | 'commit'>;

export class Members {
  readonly #log: LogStore;
  /** What it was configured with: it wins over what others say, who may reach a member in another way. */
  readonly #addresses: ReadonlyMap<NodeId, string>;
  #told: ToldMembers | undefined;
  #seen = '';
  #seenConfiguration: Configuration | undefined;
  #seenCommitted: LoggedConfiguration | undefined;
  #history: readonly LoggedConfiguration[] = [];
  #all: ReadonlyMap<NodeId, ConfigMember> = new Map();
  /** The newest configuration is committed, and this is its index. */
  #committed: LoggedConfiguration | undefined;
  #certain: ToldMembers | undefined;
  /** Of the configuration that was asked for last. */
  #counting: { readonly of: Configuration; readonly incarnations: ReadonlyMap<NodeId, string> } | undefined;

  constructor(log: LogStore, addresses: ReadonlyMap<NodeId, string>) {
    this.#log = log;
    this.#addresses = addresses;
    this.#told = log.identity.founding?.joined;
  }

  /** Every member but this one, and this one where it is a member. The address is the one to be used. */
  get all(): ReadonlyMap<NodeId, ConfigMember> {
    return this.#all;
  }

  /** Others than this node. */
  get others(): readonly ConfigMember[] {
    const { id } = this.#log.identity;
    return [...this.#all.values()].filter((member) => member.id !== id);
  }

  /**
   * The directory that counts under this name in the configuration that is in force here. `all` may name another one already,
   * of which a leader has told.
   */
  incarnationIn(configuration: Configuration, id: NodeId): string | undefined {
    if (this.#counting?.of !== configuration) {
      const incarnations = new Map(membersIn(configuration).map((member) => [member.id, member.incarnation]));
      this.#counting = { of: configuration, incarnations };
    }
    const incarnation = this.#counting.incarnations.get(id);
    return incarnation === '' ? this.#log.identity.founding?.record.incarnations[id] : incarnation;
  }

  /** Of the newest configuration, when it is committed. */
  get committedIndex(): number | undefined {
    return this.#committed?.index;
  }

  /**
   * As the newest entry that is committed says, whatever was appended behind it; undefined while only the founding is. It can be
   * told: nobody takes it back.
   */
  get certain(): ToldMembers | undefined {
    return this.#certain;
  }

  /** The newest entry, committed or not, that says who they are, or that a leader has told of. */
  get newestIndex(): number {
    return Math.max(this.#told?.index ?? 0, this.#history.at(-1)?.index ?? 0);
  }

  /** A leader says who they are. @returns whether that is news */
  tell(told: ToldMembers, status: Status): boolean {
    if (told.index <= Math.max(this.#told?.index ?? -1, status.configurationIndex)) return false;
    this.#told = told;
    return true;
  }

  /** How often something was different from the look before. */
  changes = 0;

  look(status: Status): void {
    const { configuration, configurationIndex, commit } = status;
    const { identity, configurations } = this.#log;
    const isFounded = identity.founding?.confirmed === true;
    const counts = [configurationIndex, commit >= configurationIndex, isFounded, this.#told?.index];
    const seen = [...counts, configurations.at(-1)?.index, configurations.length].join();
    // At one index another one may stand: the first was cut off.
    const { committedConfiguration: committed } = status;
    if (seen === this.#seen && configuration === this.#seenConfiguration && committed === this.#seenCommitted) return;
    this.#seen = seen;
    this.#seenConfiguration = configuration;
    this.#seenCommitted = committed;
    this.changes += 1;
    this.#history = historyOf(this.#log, status);
    const committedAt = this.#history.findLastIndex(({ index }) => index <= commit);
    this.#committed = committedAt === this.#history.length - 1 ? this.#history[committedAt] : undefined;
    const counting = this.#history
      .slice(Math.max(0, committedAt))
      .flatMap(({ configuration }) => membersIn(configuration));
    const told = this.#told !== undefined && this.#told.index > configurationIndex ? this.#told.members : [];
    this.#all = new Map([...counting, ...told].map((member) => [member.id, this.#known(member)]));
    // By the core, not by the log: on the disk may stand what is cut off already.
    this.#certain =
      committed === undefined || committed.index === 0
        ? undefined
        : {
            index: committed.index,
            members: membersIn(committed.configuration).map((member) => this.#known(member)),
          };
  }

  /** Was it a member once, by an entry that is committed, and is none by the last one? */
  isRemoved(id: NodeId, incarnation: string): boolean {
    if (this.#committed === undefined || incarnation === '') return false;
    if (this.#all.get(id)?.incarnation === incarnation) return false;
    if (this.#log.identity.founding?.record.incarnations[id] === incarnation) return true;
    const isIt = (member: ConfigMember): boolean => member.id === id && member.incarnation === incarnation;
    return this.#history.some(({ configuration }) => membersIn(configuration).some(isIt));
  }

  /** What founders were called and where they are stands in no entry. */
  #known({ id, incarnation, address }: ConfigMember): ConfigMember {
    const record = this.#log.identity.founding?.record;
    const told = this.#told?.members.find((member) => member.id === id)?.address ?? '';
    return {
      id,
      incarnation: incarnation === '' ? (record?.incarnations[id] ?? '') : incarnation,
      address: this.#addresses.get(id) ?? (address === '' ? told : address),
    };
  }
}

const membersIn = ({ voters, learners }: Configuration): readonly ConfigMember[] => [...voters, ...learners];

/** All that is known, the oldest first, and last what is in force here, which may not be on the disk yet. */
function historyOf(
  log: LogStore,
  { configuration, configurationIndex: index }: Status,
): readonly LoggedConfiguration[] {
  if (foundersOf(log.identity).length === 0) return [];
  const before = configurationsOf(log).filter((said) => said.index < index);
  return membersIn(configuration).length === 0 ? before : [...before, { index, configuration }];
}
