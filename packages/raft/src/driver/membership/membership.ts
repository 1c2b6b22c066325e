// What follows for a node from who the members are: whom it connects to and hears, what it tells those who can not know it
// yet, when it is taken in, and when it has to go.
import type { NodeId } from '../../core/message.ts';
import type { CoreStatus, MembershipChange } from '../../core/types.ts';
import { isWaiting } from '../../log/identity.ts';
import { RaftError } from '../../raft-error.ts';
import { brings } from '../../versions.ts';
import type { Address, Guests } from '../../wire/transport.ts';
import { driverBounds } from '../bounds.ts';
import type { Admission } from '../formation/admission.ts';
import type { MembersTold } from '../formation/control.ts';
import type { Loop } from '../loop.ts';
import type { RaftNodeOptions } from '../raft-node.ts';
import { type ChangeOutcome, Changes } from './changes.ts';
import type { Members } from './members.ts';

export interface MembershipPorts<Result> {
  readonly options: RaftNodeOptions<Result>;
  readonly loop: Loop<Result>;
  readonly members: Members;
  readonly admission: Admission;
  readonly tell: (to: NodeId, told: MembersTold) => void;
  /** It belongs to a cluster now, and that is on its disk. */
  readonly onTakenIn: () => void;
  readonly onFailed: (error: unknown) => void;
}

export class Membership<Result> {
  readonly #ports: MembershipPorts<Result>;
  readonly #changes: Changes;
  #hadOthers = false;
  /** Members and active version: both say who may take part. */
  #seen = '';
  /** What the transport was told last. */
  #set:
    | { readonly members: Members['all']; readonly peers: ReadonlyMap<NodeId, Address>; readonly guests: Guests }
    | undefined;
  #isTakenIn = false;
  /** The last configuration that this node has passed on as committed. */
  #passedOn = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(ports: MembershipPorts<Result>) {
    this.#ports = ports;
    const { log, clock, timing } = ports.options;
    this.#changes = new Changes({ log, clock, patienceMs: timing.electionMaxMs });
  }

  async change(change: MembershipChange): Promise<ChangeOutcome> {
    const { options, loop, members } = this.#ports;
    if (!brings(options.stateMachine.activeVersion, 'membership')) return { kind: 'refused', reason: 'oldVersion' };
    // A request that was on its way for long, and comes behind the removal of the member that it asks for.
    if (change.kind === 'addLearner' && members.isRemoved(change.member.id, change.member.incarnation))
      return { kind: 'refused', reason: 'removedMember' };
    let outcome: Promise<ChangeOutcome> = Promise.resolve({ kind: 'refused', reason: 'stopping' });
    loop.input((core) => {
      const changed = core.changeMembership(change);
      outcome = changed.kind === 'appended' ? this.#changes.add(changed) : Promise.resolve(changed);
    });
    return await outcome;
  }

  /** To be called at the start, and with every tick. */
  look(): void {
    const { members, admission, loop, options } = this.#ports;
    const { status } = loop;
    members.look(status);
    const seen = `${members.changes} ${options.stateMachine.activeVersion}`;
    if (seen !== this.#seen) admission.recheck(status);
    this.#seen = seen;
    this.#setPeers();
    this.#changes.look(status);
    this.#maybeTell(status);
    this.#maybePassOn();
    this.#maybeGo(status);
  }

  /**
   * Not the leader alone: whoever slept while another member was replaced under its own name takes the new one for a wiped
   * directory, and would not hear it if it led. It believes the others, whom it knows.
   */
  met(peer: NodeId): void {
    if (this.#ports.admission.isAdmitted(peer)) this.#tell(peer);
  }

  end(): void {
    this.#changes.end();
  }

  /** Another member says who the members are. */
  async heard(told: MembersTold): Promise<void> {
    const { options, members, loop, onTakenIn, onFailed } = this.#ports;
    const { identity } = options.log;
    if (told.incarnation !== identity.incarnation) return;
    const { record, index } = told;
    if (isWaiting(identity)) {
      const isMeant = told.members.some(
        ({ id, incarnation }) => id === identity.id && incarnation === told.incarnation,
      );
      if (this.#isTakenIn || !isMeant) return;
      this.#isTakenIn = true;
      try {
        await options.log.writeFounding({ record, confirmed: true, joined: { index, members: told.members } });
      } catch (error) {
        return onFailed(error);
      }
      members.tell(told, loop.status);
      this.look();
      onTakenIn();
    } else if (identity.founding?.record.clusterId === record.clusterId && members.tell(told, loop.status)) {
      this.look();
    }
  }

  #setPeers(): void {
    const { options, members } = this.#ports;
    const areNew = this.#set?.members !== members.all;
    const peers = areNew || this.#set === undefined ? this.#reachable() : this.#set.peers;
    this.#hadOthers ||= peers.size > 0;
    // A member may lag behind, and must hear a leader of whom it does not know yet (thesis 4.1). The active version says nothing
    // against it: where this node has applied nothing, it is the one of the founding.
    const { identity } = options.log;
    const isFounded = identity.founding?.confirmed === true;
    const guests = (isFounded && this.#hadOthers) || isWaiting(identity) ? 'anybody' : 'nobody';
    if (!areNew && this.#set?.guests === guests) return;
    this.#set = { members: members.all, peers, guests };
    options.transport.setPeers(peers, guests);
  }

  #reachable(): ReadonlyMap<NodeId, Address> {
    const { options, members } = this.#ports;
    const peers = new Map<NodeId, Address>();
    for (const { id, address } of members.others) {
      const where = options.reach(address);
      if (where !== undefined) peers.set(id, where);
    }
    return peers;
  }

  /**
   * A leader tells those who wait that they are members, and the others what their logs do not say yet. Only what is
   * committed: another change may come in the place of one that is taken back, and what was told would outlast it.
   */
  #maybeTell({ followers, role }: CoreStatus): void {
    const { options, members, admission } = this.#ports;
    const { certain } = members;
    const nowMs = options.clock.monotonicMs();
    if (role !== 'leader' || certain === undefined) return;
    if (nowMs - this.#toldAtMs < driverBounds.formationRepeatMs) return;
    this.#toldAtMs = nowMs;
    for (const { id } of members.others) {
      const isBehind = (followers.get(id)?.match ?? certain.index) < certain.index;
      if (isBehind && (admission.waiting.includes(id) || admission.isAdmitted(id))) this.#tell(id);
    }
  }

  /** Once for each configuration; who comes later is told when it comes. */
  #maybePassOn(): void {
    const { members } = this.#ports;
    const index = members.certain?.index ?? 0;
    if (index === this.#passedOn) return;
    this.#passedOn = index;
    for (const { id } of members.others) this.met(id);
  }

  /** The last change that is committed, also while the next one is not: whom it names may be needed for that. */
  #tell(id: NodeId): void {
    const { options, members, tell } = this.#ports;
    const record = options.log.identity.founding?.record;
    const incarnation = members.all.get(id)?.incarnation;
    if (members.certain === undefined || record === undefined || incarnation === undefined) return;
    tell(id, { kind: 'members', incarnation, record, ...members.certain });
  }

  /** Its removal is committed. A leader goes once it has handed over. */
  #maybeGo({ role, applied, configurationIndex }: CoreStatus): void {
    const { options, members, onFailed } = this.#ports;
    const { id, incarnation } = options.log.identity;
    // Not before whoever asked for it has its answer.
    if (role === 'leader' || applied < configurationIndex || !members.isRemoved(id, incarnation)) return;
    onFailed(new RaftError('HF_REMOVED_MEMBER', 'Its own log says so.', {}));
  }
}
