// A member of a group: joins the loop, formation, the handshake and the ticker, and starts and stops them in order.
import type { Message, NodeId } from '../core/message.ts';
import type { MembershipChange } from '../core/types.ts';
import { drawToken } from '../log/founding.ts';
import { checkIdentity, foundersOf } from '../log/identity.ts';
import { RaftError, reasonOf } from '../raft-error.ts';
import { Compaction, defaultRetention } from '../snapshot/compaction.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import { snapshotsOf } from '../snapshot/snapshots-of.ts';
import { protocolVersions } from '../versions.ts';
import type { Hello, Sample, TransportEvents } from '../wire/transport.ts';
import { driverBounds } from './bounds.ts';
import { within } from './clock.ts';
import { Admission, isCountedByName } from './formation/admission.ts';
import { decodeControl, encodeControl, type FormationState, type OfDriver } from './formation/control.ts';
import { Formation } from './formation/formation.ts';
import { type Judgement, Rejected } from './formation/rejected.ts';
import { Hearing } from './hearing.ts';
import { Loop } from './loop.ts';
import type { ChangeOutcome } from './membership/changes.ts';
import { coreOf } from './membership/core-of.ts';
import { Members } from './membership/members.ts';
import { Membership } from './membership/membership.ts';
import type { Outcome, TransferOutcome } from './outcome.ts';
import { type RaftNode, type RaftNodeOptions, type RaftStatus, statusOf } from './raft-node.ts';
import type { ReadOutcome } from './reads.ts';
import { Refusals } from './refusals.ts';
import { Ticker } from './ticker.ts';

/**
 * A member, not started yet.
 *
 * @throws RaftError HF_WRONG_MEMBER, HF_WRONG_CLUSTER when the log is not this member's; HF_LOG_CORRUPT where it does not
 * say who the members are
 * @throws RangeError where a name could be none of a member
 * @throws InvariantViolated where the timing can not be (`RaftTiming`), or the state does not fit to the log
 */
export function createRaftNode<Result>(options: RaftNodeOptions<Result>): RaftNode<Result> {
  return new Driver(options);
}

class Driver<Result> implements RaftNode<Result> {
  readonly #options: RaftNodeOptions<Result>;
  readonly #bootId: string;
  readonly #refusals = new Refusals();
  readonly #admission: Admission;
  readonly #rejected = new Rejected(() => this.#standing());
  readonly #hearing = new Hearing();
  readonly #members: Members;
  readonly #membership: Membership<Result>;
  readonly #formation: Formation;
  readonly #loop: Loop<Result>;
  readonly #ticker: Ticker;
  readonly #compaction: Compaction;
  readonly #versions = new Map<NodeId, readonly number[]>();
  readonly #snapshots: Snapshots;
  #isStopping = false;
  #stopped: Promise<void> | undefined;
  #onDrained: (() => void) | undefined;
  #onTermEnded: (() => void) | undefined;
  readonly #cancelGiveUp = new Set<() => void>();

  constructor(options: RaftNodeOptions<Result>) {
    checkIdentity(options.log.identity, options);
    const { log, clock, random, timing, addresses } = options;
    this.#options = options;
    this.#bootId = drawToken(random);
    this.#members = new Members(log, addresses);
    this.#admission = new Admission(log, this.#members, options.stateMachine);
    this.#compaction = new Compaction(log, { ...defaultRetention, ...options.retention });
    this.#loop = this.#createLoop();
    this.#snapshots = snapshotsOf(options, this.#loop, this.#refusals, (error) => this.#fail(error));
    this.#formation = new Formation({
      log,
      clock,
      random,
      send: (to, state) => this.#sendControl(to, state),
      onFounded: () => this.#ticker.start(),
      onFailed: (error) => this.#fail(error),
    });
    this.#membership = new Membership({
      options,
      loop: this.#loop,
      members: this.#members,
      admission: this.#admission,
      tell: (to, told) => this.#sendControl(to, told),
      onTakenIn: () => this.#formation.start(),
      onFailed: (error) => this.#fail(error),
    });
    this.#members.look(this.#loop.status);
    this.#ticker = new Ticker({
      clock,
      tickMs: timing.tickMs,
      pauseMs: timing.electionMinMs,
      onPause: (pausedMs) => this.#loop.paused(pausedMs),
      onTick: () => {
        this.#loop.tick();
        this.#snapshots.tick();
        if (!this.#loop.hasEnded) this.#membership.look();
      },
    });
  }

  async start(): Promise<void> {
    this.#membership.look();
    await this.#options.transport.start(this.#events(), () => this.#hello());
    if (this.#isStopping) return;
    this.#formation.start();
  }

  propose(command: Uint8Array): Promise<Outcome<Result>> {
    if (this.#isStopping || this.#loop.hasEnded) return Promise.resolve({ kind: 'notApplied', reason: 'stopping' });
    if (!this.#loop.leads) return Promise.resolve({ kind: 'notApplied', reason: 'notLeader' });
    if (command.length > driverBounds.maxCommandBytes) {
      this.#refusals.count('maxCommandBytes');
      return Promise.resolve({ kind: 'notApplied', reason: 'tooLarge' });
    }
    return new Promise((settle) => this.#loop.propose(command, settle));
  }

  readIndex(): Promise<ReadOutcome> {
    if (this.#isStopping || this.#loop.hasEnded) return Promise.resolve({ kind: 'failed' });
    return new Promise((settle) => this.#loop.readIndex(settle));
  }

  changeMembership(change: MembershipChange): Promise<ChangeOutcome> {
    if (this.#isStopping) return Promise.resolve({ kind: 'refused', reason: 'stopping' });
    return this.#membership.change(change);
  }

  transferLeadership(to: NodeId | undefined): TransferOutcome {
    if (this.#isStopping || this.#loop.hasEnded) return { kind: 'refused', reason: 'stopping' };
    return this.#loop.transferLeadership(to);
  }

  stepDown(): void {
    this.#loop.input((core) => core.stepDown());
  }

  status(): RaftStatus {
    const { log, clock } = this.#options;
    return statusOf({
      log,
      loop: this.#loop,
      nowMs: clock.monotonicMs(),
      hearing: this.#hearing,
      members: this.#members.all,
      compactedEntries: this.#compaction.compacted,
      snapshots: this.#snapshots.status,
      versions: this.#versions,
      refusals: this.#refusals.counts,
    });
  }

  /** One stop, however often it is asked for: a second one must not cut off the hand-over of the first. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    let closed: Promise<void> | undefined;
    if (!this.#isStopping && !this.#loop.hasEnded) {
      this.#isStopping = true;
      this.#loop.refuseWaiting('stopping');
      await this.#handedOver();
      this.#loop.input((core) => core.stop());
      await this.#drained();
      this.#ticker.stop();
      // Before the disk, which may never answer: the others must not take this member for one that is there.
      closed = this.#options.transport.close();
      await this.#loop.flush();
    }
    await this.#snapshots.stop();
    this.#end();
    await (closed ?? this.#options.transport.close());
  }

  /** A leader that goes names its successor: that costs the others a round trip instead of an election. */
  #handedOver(): Promise<void> {
    const transferred = this.#loop.transferLeadership(undefined);
    if (transferred.kind === 'refused' && transferred.reason !== 'transferring') return Promise.resolve();
    const { clock, timing } = this.#options;
    return within(clock, timing.electionMaxMs, (over) => (this.#onTermEnded = over));
  }

  /** What is appended may still be committed; it gets a moment. */
  #drained(): Promise<void> {
    if (this.#loop.appended.isEmpty) return Promise.resolve();
    return within(this.#options.clock, driverBounds.stopGraceMs, (over) => (this.#onDrained = over));
  }

  #createLoop(): Loop<Result> {
    const { log, stateMachine, clock, timing, owner, transport } = this.#options;
    const core = coreOf(this.#options);
    return new Loop<Result>({
      core,
      log,
      stateMachine,
      compaction: this.#compaction,
      clock,
      tickMs: timing.tickMs,
      readPatienceMs: 2 * timing.electionMaxMs,
      refusals: this.#refusals,
      entryHeader: () => owner.entryHeader(),
      send: (message) => transport.send(message),
      onLeader: (term) => owner.onLeader(term),
      onLeaderLost: (term) => owner.onLeaderLost(term),
      onTermEnded: (term) => this.#termEnded(term),
      onApplied: () => this.#applied(),
      neededFrom: () => this.#snapshots.neededFrom,
      onSnapshotsNeeded: (by) => {
        for (const peer of by) this.#snapshots.needed(peer);
      },
      onFlipped: (index) => this.#snapshots.flipped(index),
      onFatal: (error) => this.#fail(error),
    });
  }

  /** The fate of what was appended may still become known within about an election; then it is unknown. */
  #termEnded(term: number): void {
    this.#onTermEnded?.();
    if (this.#loop.hasEnded) return;
    const cancel = this.#options.clock.after(this.#options.timing.electionMaxMs, () => {
      this.#cancelGiveUp.delete(cancel);
      this.#loop.appended.giveUp(term);
      this.#applied();
    });
    this.#cancelGiveUp.add(cancel);
  }

  #applied(): void {
    if (this.#onDrained !== undefined && this.#loop.appended.isEmpty) this.#onDrained();
  }

  #events(): TransportEvents {
    return {
      onMessage: (message, sample) => this.#receive(message, sample),
      onControl: (from, bytes) => this.#control(from, bytes),
      onBulk: (from, bytes) => {
        if (this.#mayTakePart(from)) this.#snapshots.received(from, bytes);
      },
      refuses: (hello) => this.#refuses(hello),
      onPeerUp: (hello) => this.#peerUp(hello),
      onPeerLost: (peer, evidence) =>
        this.#loop.input((core) => (evidence === 'dead' ? core.peerDown(peer) : core.peerReset(peer))),
      // Heartbeats have a connection of their own, so an append that takes long keeps nobody from hearing its leader.
      onActivity: (peer) => {
        if (this.#admission.isCounted(peer, this.#loop.status)) this.#loop.input((core) => core.heard(peer));
      },
    };
  }

  #hello(): Hello {
    const { log, stateMachine } = this.#options;
    const { identity, lastIndex } = log;
    const { id, incarnation, founding } = identity;
    const members = foundersOf(identity);
    const clusterId = founding?.confirmed === true ? founding.record.clusterId : undefined;
    // A process that speaks less than what all members have agreed on is not let in.
    const versions = protocolVersions.filter((version) => version >= stateMachine.activeVersion);
    return { clusterId, id, members, incarnation, bootId: this.#bootId, lastDurableIndex: lastIndex, versions };
  }

  #receive(message: Message, sample: Sample): void {
    if (!this.#mayTakePart(message.from) || (isCountedByName(message) && !this.#isCounted(message.from))) return;
    this.#rejected.admittedBy(message.from);
    const { owner, clock } = this.#options;
    owner.onSample(message.from, sample);
    this.#hearing.heard(message, this.#loop.status.term, clock.monotonicMs());
    this.#loop.input((core) => core.step(message));
  }

  /** Before formation this member has no vote and no log to speak of; and it hears only whom it has admitted. */
  #mayTakePart(peer: NodeId): boolean {
    if (this.#loop.hasEnded) return false;
    if (!this.#formation.isFounded) this.#refusals.count('notFounded');
    else if (!this.#admission.isAdmitted(peer)) this.#refusals.count('notAdmitted');
    else return true;
    return false;
  }

  #isCounted(peer: NodeId): boolean {
    const isCounted = this.#admission.isCounted(peer, this.#loop.status);
    if (!isCounted) this.#refusals.count('notCounted');
    return isCounted;
  }

  #refuses(hello: Hello): Uint8Array | undefined {
    if (this.#loop.hasEnded || !this.#isOther(hello.id)) return undefined;
    const { status } = this.#loop;
    const refusal = this.#admission.refusal(hello, status) ?? this.#admission.notNamed(hello, status);
    if (refusal === undefined) return undefined;
    this.#refusals.count('refusedPeer');
    return encodeControl(refusal);
  }

  #peerUp(hello: Hello): void {
    if (this.#loop.hasEnded || !this.#isOther(hello.id)) return;
    const verdict = this.#admission.check(hello, this.#loop.status);
    switch (verdict.kind) {
      case 'late':
        return;
      case 'refused':
        this.#refusals.count('refusedPeer');
        return this.#sendControl(hello.id, verdict.refusal);
      case 'admitted':
        this.#versions.set(hello.id, hello.versions);
        if (!this.#formation.isFounded && this.#members.all.has(hello.id)) this.#formation.tell(hello.id);
        this.#loop.input((core) => {
          if (verdict.restarted) core.peerDown(hello.id);
          core.peerReset(hello.id);
        });
        this.#membership.met(hello.id);
    }
  }

  #control(from: NodeId, bytes: Uint8Array): void {
    if (this.#loop.hasEnded || !this.#isOther(from)) return;
    const control = decodeControl(bytes);
    if (control === 'broken') return this.#refusals.count('brokenControl');
    if (control === 'unknown') return this.#refusals.count('unknownControl');
    switch (control.kind) {
      case 'formation':
        if (this.#members.all.has(from)) this.#formationHeard(from, control);
        return;
      case 'refusal':
        return this.#judged(this.#rejected.refused(from, control));
      case 'stranger':
        return this.#refusals.count('refusedByPeer');
      case 'notNamed':
        return this.#judged(this.#rejected.notNamed(from, control));
      case 'members':
        if (this.#admission.isAdmitted(from)) void this.#membership.heard(control);
        return;
      case 'snapshotInstalled':
        if (this.#mayTakePart(from) && this.#isCounted(from)) this.#snapshots.heard(from, control);
        return;
      case 'snapshotOffer':
      case 'snapshotFetch':
      case 'snapshotGone':
        if (this.#mayTakePart(from)) this.#snapshots.heard(from, control);
    }
  }

  #standing() {
    this.#members.look(this.#loop.status);
    const { newestIndex, others } = this.#members;
    const { identity } = this.#options.log;
    const { isFounded } = this.#formation;
    return { identity, bootId: this.#bootId, isFounded, others: others.length, newestIndex };
  }

  #judged(judgement: Judgement): void {
    this.#refusals.count(judgement === 'another' ? 'refusalOfAnother' : 'refusedByPeer');
    if (judgement instanceof RaftError) this.#fail(judgement);
  }

  #formationHeard(from: NodeId, state: FormationState): void {
    this.#rejected.admittedBy(from);
    this.#members.look(this.#loop.status);
    // Its handshake may be older than the founding record; without an answer it would wait for ever.
    const refusal = this.#admission.wiped(from, state);
    if (refusal === undefined) return this.#formation.heard(from, state);
    this.#refusals.count('refusedPeer');
    this.#sendControl(from, refusal);
  }

  #sendControl(to: NodeId, control: OfDriver): void {
    if (!this.#loop.hasEnded) this.#options.transport.sendControl(to, encodeControl(control));
  }

  #isOther(peer: NodeId): boolean {
    return peer !== this.#options.id;
  }

  #end(): void {
    this.#isStopping = true;
    this.#ticker.stop();
    this.#formation.stop();
    this.#membership.end();
    for (const cancel of this.#cancelGiveUp) cancel();
    this.#cancelGiveUp.clear();
    this.#loop.end();
    this.#onDrained?.();
  }

  #fail(error: unknown): void {
    this.#end();
    void this.#options.transport.close();
    this.#options.owner.onFatal(fatal(error));
  }
}

function fatal(error: unknown): RaftError {
  if (error instanceof RaftError) return error;
  return new RaftError('HF_RAFT_FAULT', reasonOf(error), {}, { cause: error });
}
