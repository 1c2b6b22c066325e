// Who may take part. Asked for every handshake; a process that may not is told why, and stops.
//
// Two processes can come under one name: a second one by mistake, with an empty directory or another one. What is
// refused changes nothing for the one that is admitted: neither what is known of it, nor that it is heard.
import type { Message, MessageKind, NodeId } from '../../core/message.ts';
import type { CoreStatus } from '../../core/types.ts';
import { foundersOf, isWaiting } from '../../log/identity.ts';
import type { LogStore } from '../../log/log-store.ts';
import type { SnapshotStateMachine } from '../../state-machine.ts';
import type { Hello } from '../../wire/transport.ts';
import type { Members } from '../membership/members.ts';
import type { NotNamed, Refusal, Stranger } from './control.ts';

export type Verdict =
  /** `restarted`: it was admitted before, and this is a new process. */
  | { readonly kind: 'admitted'; readonly restarted: boolean }
  | { readonly kind: 'refused'; readonly refusal: Answer }
  /** A handshake of a process that has been replaced since: its connection is dead, only its bytes are late. */
  | { readonly kind: 'late' };

export type Answer = Refusal | Stranger;

/** The process that was admitted last. */
interface Peer {
  readonly hello: Hello;
  /** Boot ids that were replaced, the newest last. */
  readonly replaced: string[];
}

const maxReplaced = 16;
/** Names of this cluster that this node has not heard of yet, and hears. */
const maxUnheardOf = 32;
const stranger: Stranger = { kind: 'stranger' };

/** Whose sender the core counts, by its name: for a vote, for what it has on its disk, for being there. */
const countedByName: ReadonlySet<MessageKind> = new Set([
  'preVoteResponse',
  'voteResponse',
  'appendResponse',
  'heartbeatResponse',
]);
export const isCountedByName = ({ kind }: Message): boolean => countedByName.has(kind);

export class Admission {
  readonly #log: LogStore;
  readonly #members: Members;
  readonly #stateMachine: Pick<SnapshotStateMachine<unknown>, 'activeVersion'>;
  readonly #peers = new Map<NodeId, Peer>();
  /** The last process of each member that was refused for its log. */
  readonly #cut = new Map<NodeId, Refusal>();
  /** Members whose last handshake was refused. */
  readonly #silenced = new Set<NodeId>();

  constructor(log: LogStore, members: Members, stateMachine: Pick<SnapshotStateMachine<unknown>, 'activeVersion'>) {
    this.#log = log;
    this.#members = members;
    this.#stateMachine = stateMachine;
  }

  isAdmitted(peer: NodeId): boolean {
    return this.#peers.has(peer) && !this.#silenced.has(peer);
  }

  /**
   * Is it the directory that the configuration in force here counts under its name? One that a leader has told of, and that
   * is in no entry here yet, is heard; but its answers are not those of the one whose name it has. It is empty, and would
   * vote for whoever lacks what the other one has.
   */
  isCounted(peer: NodeId, { configuration }: Pick<CoreStatus, 'configuration'>): boolean {
    const hello = this.#peers.get(peer)?.hello;
    return hello !== undefined && this.#members.incarnationIn(configuration, peer) === hello.incarnation;
  }

  /** Why this process may not take part; undefined when it may. Changes nothing for whoever is admitted. */
  refusal(hello: Hello, status: CoreStatus): Answer | undefined {
    // Whoever comes may be the leader of the cluster that takes this node in.
    if (isWaiting(this.#log.identity)) return undefined;
    this.#members.look(status);
    const refusal = this.#wrongCluster(hello) ?? this.#tooOld(hello) ?? this.wiped(hello.id, hello);
    if (refusal !== undefined) return refusal;
    const known = this.#cut.get(hello.id);
    if (known?.bootId === hello.bootId) return known;
    // Only a new process is judged by what the one before it had said: its own acknowledgements overtake its handshakes.
    if (this.#peers.get(hello.id)?.hello.bootId === hello.bootId) return undefined;
    const cut = cutLog(hello, status);
    if (cut !== undefined) this.#cut.set(hello.id, cut);
    return cut;
  }

  /** The process speaks from now on, or is refused: then its member is not heard until one comes that is admitted. */
  check(hello: Hello, status: CoreStatus): Verdict {
    const known = this.#peers.get(hello.id);
    if (known?.replaced.includes(hello.bootId) === true) return { kind: 'late' };
    const refusal = this.refusal(hello, status);
    if (refusal !== undefined) {
      this.#silenced.add(hello.id);
      return { kind: 'refused', refusal };
    }
    this.#silenced.delete(hello.id);
    const restarted = known !== undefined && known.hello.bootId !== hello.bootId;
    const replaced = known?.replaced ?? [];
    if (restarted) replaced.push(known.hello.bootId);
    if (replaced.length > maxReplaced) replaced.shift();
    this.#peers.set(hello.id, { hello, replaced });
    return { kind: 'admitted', restarted };
  }

  /** The members, or the active version, have changed: who may take part no more is not heard from now on. */
  recheck(status: CoreStatus): void {
    for (const [id, { hello }] of this.#peers) {
      if (this.refusal(hello, status) !== undefined) this.#silenced.add(id);
    }
  }

  /** Those whose last process belongs to no cluster yet. */
  get waiting(): readonly NodeId[] {
    return [...this.#peers].filter(([, { hello }]) => hello.members.length === 0).map(([id]) => id);
  }

  /** Is it another directory than the one that is a member under this name? `bootId`: of one process, if known. */
  wiped(from: NodeId, it: { readonly incarnation: string; readonly bootId?: string }): Answer | undefined {
    const { founding, id } = this.#log.identity;
    if (founding?.confirmed !== true) return undefined;
    const hello = { incarnation: it.incarnation, bootId: it.bootId };
    const known = this.#members.all.get(from)?.incarnation;
    if (known === it.incarnation) return undefined;
    if (this.#members.isRemoved(from, it.incarnation)) {
      return refuse(hello, 'HF_REMOVED_MEMBER', `${id} knows that ${from} was removed.`);
    }
    // One that this node has not heard of yet may lead already, and say so.
    if (known === undefined) return this.#isOneTooMany(from) ? stranger : undefined;
    return refuse(hello, 'HF_WIPED_MEMBER', `${id} knows ${from} as ${known}, not as ${it.incarnation}.`);
  }

  /** It would neither understand what the others say, nor apply what the others apply. */
  #tooOld(hello: Hello): Refusal | undefined {
    const { activeVersion } = this.#stateMachine;
    const newest = Math.max(...hello.versions);
    if (newest >= activeVersion) return undefined;
    // The first build, which is the only one that says no more than 1, has no better code in its table.
    const code = newest === 1 ? 'HF_LOG_FORMAT' : 'HF_BUILD_TOO_OLD';
    const { id } = this.#log.identity;
    return refuse(
      hello,
      code,
      `${id} uses version ${activeVersion}, and the build of ${hello.id} knows up to ${newest}.`,
    );
  }

  /**
   * What to answer to one that nobody has named instead of hearing it; for a connection that is dialled again. A log that ends
   * before what is committed here is no leader's, so there is nothing to hear: it was removed, and the entries that named it
   * are compacted here; or it is new, and this node lags behind.
   */
  notNamed({ id, incarnation, lastDurableIndex }: Hello, { commit }: CoreStatus): NotNamed | undefined {
    if (isWaiting(this.#log.identity)) return undefined;
    const index = this.#members.committedIndex;
    if (this.#members.all.has(id) || index === undefined || lastDurableIndex >= commit) return undefined;
    return { kind: 'notNamed', incarnation, index };
  }

  #isOneTooMany(name: NodeId): boolean {
    if (this.#peers.has(name)) return false;
    return [...this.#peers.keys()].filter((peer) => !this.#members.all.has(peer)).length >= maxUnheardOf;
  }

  #wrongCluster(hello: Hello): Answer | undefined {
    const { identity } = this.#log;
    const { founding, id } = identity;
    const isMember = this.#members.all.has(hello.id);
    const isFounded = founding?.confirmed === true;
    // Of those whom nobody has named, only who shows that it belongs to the same cluster.
    if (!isMember && !(isFounded && hello.clusterId === founding.record.clusterId)) return stranger;
    const founders = foundersOf(identity);
    if (hello.members.length === 0 ? !isFounded : [...hello.members].sort().join() !== founders.join()) {
      return refuse(
        hello,
        'HF_WRONG_CLUSTER',
        `${hello.id} names the members ${hello.members.join()}, ${id} names ${founders.join()}.`,
      );
    }
    if (!isFounded || hello.clusterId === undefined) return undefined;
    const { clusterId } = founding.record;
    if (hello.clusterId === clusterId) return undefined;
    return refuse(hello, 'HF_WRONG_CLUSTER', `${hello.id} was founded as ${hello.clusterId}, ${id} as ${clusterId}.`);
  }
}

function cutLog(hello: Hello, status: CoreStatus): Refusal | undefined {
  const { id, lastDurableIndex } = hello;
  const acknowledged = Math.min(status.followers.get(id)?.match ?? 0, status.commit);
  if (acknowledged <= lastDurableIndex) return undefined;
  const detail = `${id} had acknowledged index ${acknowledged}, and now ends at ${lastDurableIndex}.`;
  return refuse(hello, 'HF_LOG_CUT', detail);
}

type Process = Pick<Refusal, 'incarnation' | 'bootId'>;

function refuse({ incarnation, bootId }: Process, code: Refusal['code'], detail: string): Refusal {
  return { kind: 'refusal', incarnation, bootId, code, detail };
}
