// A member put together: replica, leadership and service, and a look every heartbeat at what no event tells. Start and stop
// stand here in order; everything else is in the files that this one names.
import { defaults, HoldfastError, type RequestOf, type Verb } from '@holdfast/api';
import type { NodeId, RaftStatus, TransferOutcome } from '@holdfast/raft';
import { createScheduler, type Scheduler, type SchedulerPorts } from '@holdfast/scheduler';
import { type Backups, createBackups } from './backup/backups.ts';
import { isDirectoryFault } from './directory/directory-fault.ts';
import type { DiskSeen, Member, MemberConfig, MemberPorts, MemberStatus, Service } from './member.ts';
import { endedKeepMsOf, joinReplica, type Opened, openReplica, type Replica } from './replica.ts';
import type { Leading } from './service/desk.ts';
import { createPlacement, type Place, type Placement } from './service/placement.ts';
import { createQuota, type Quota } from './service/quota.ts';
import { createService } from './service/service.ts';
import { type Activation, createActivation } from './watch/activation.ts';
import { type Aging, createAging } from './watch/aging.ts';
import { createDiskSpace, type DiskSpace } from './watch/disk-space.ts';
import { createIdleLeader, type IdleLeader } from './watch/idle-leader.ts';
import { createLeadership, type Leadership } from './watch/leadership.ts';
import { createObserver, type Observer } from './watch/observer.ts';
import { createPauses, type Pauses } from './watch/pauses.ts';
import { createPromotion, type Promotion } from './watch/promotion.ts';
import { createRoom, type Room } from './watch/room.ts';
import { createSkewGuard, type SkewGuard } from './watch/skew-guard.ts';

/** A request waits for a leader as long as about two elections take. */
const electionsToWait = 2;
/** Every answer to an idempotency key is made to run out after so long. */
const answerMs = defaults.idempotencyKeepMs;
/** A leader that does not serve by then makes room for another. */
const electionsToServe = 2;
/** A stop that takes longer goes on without raft's last write: the log has everything that was acknowledged. */
const stopMs = 10_000;

/**
 * Opens log and state; the member is not started yet.
 *
 * @throws RaftError, CorruptRow when the directory is damaged, or another member's: nothing was changed
 */
export async function createMember(config: MemberConfig, ports: MemberPorts): Promise<Member> {
  return new LocalMember(config, ports, await openReplica(config, ports));
}

class LocalMember implements Member {
  readonly service: Service;
  readonly #config: MemberConfig;
  readonly #ports: MemberPorts;
  readonly #replica: Replica;
  readonly #leadership: Leadership;
  readonly #placement: Placement;
  readonly #observer: Observer;
  readonly #pauses: Pauses;
  readonly #diskSpace: DiskSpace;
  readonly #room: Room;
  readonly #skewGuard: SkewGuard;
  readonly #activation: Activation;
  readonly #aging: Aging;
  readonly #promotion: Promotion;
  readonly #quota: Quota = createQuota();
  readonly #backups: Backups;
  #phase: 'opened' | 'started' | 'stopping' = 'opened';
  #isHandingOver = false;
  #quorumHeardAtMs = Number.NEGATIVE_INFINITY;
  #disarm: (() => void) | undefined;

  constructor(config: MemberConfig, ports: MemberPorts, opened: Opened) {
    this.#config = config;
    this.#ports = ports;
    this.#replica = joinReplica(opened, config, ports, {
      onLeader: (term) => this.#becomeLeader(term),
      onLeaderLost: (term) => this.#loseLeader(term),
      onFatal: (error) => this.#fail(error),
      hasRoom: () => this.#diskSpace.seen?.low !== true,
    });
    const replica = this.#replica;
    const aging = createAging({ clockMs: () => replica.store.clockMs, clock: ports.clock, ageMs: answerMs });
    this.#aging = aging;
    const inDoubt = () => this.#inDoubt();
    const onFault = (error: unknown) => this.#fail(error);
    this.#leadership = createLeadership({
      createScheduler: () => schedulerOf(replica, config, ports, { aging, inDoubt, onFault }),
      inDoubt,
      idle: idleOf(config, ports, replica),
      onChange: () => this.#placement.changed(),
      onFatal: onFault,
      log: ports.log,
    });
    this.#placement = createPlacement({
      now: () => this.#placeNow(),
      clock: ports.clock,
      pollMs: config.timing.tickMs,
      waitMs: electionsToWait * config.timing.electionMaxMs,
    });
    this.#observer = createObserver({
      status: () => replica.status(),
      skewed: () => replica.skewed(),
      clockBehindMs: () => replica.clockBehindMs(),
      maxClockSkewMs: config.maxClockSkewMs,
      writingMs: () => ports.disk.writingMs(),
      log: ports.log,
    });
    const { clock, log } = ports;
    this.#pauses = createPauses({ clock, pauseMs: config.timing.electionMinMs, log });
    this.#diskSpace = createDiskSpace({ ...config, freeBytes: () => ports.disk.freeBytes(), clock, log });
    this.#skewGuard = createSkewGuard({
      self: config.id,
      status: () => replica.status(),
      skewed: () => replica.skewed(),
      skewMs: () => replica.skewMs(),
      handOver: (to) => this.#handOver(to).kind === 'started',
      clock,
      log,
    });
    this.#activation = createActivation({
      serving: () => this.#leadership.serving() !== undefined,
      activeVersion: () => replica.store.activeVersion,
      others: () => othersIn(replica.status()),
      versions: () => replica.status().versions,
      activate: (version) => replica.propose({ kind: 'activate', version }),
    });
    this.#promotion = this.#createPromotion();
    this.#room = roomOf(config, ports, replica, () => this.#diskSpace.seen);
    this.#backups = this.#createBackups();
    this.service = this.#createService();
  }

  async start(): Promise<void> {
    this.#phase = 'started';
    await this.#replica.start();
    this.#look();
  }

  status(): MemberStatus {
    const replica = this.#replica;
    return {
      raft: replica.status(),
      serving: this.#leadership.serving() !== undefined,
      scheduler: this.#leadership.scheduler?.status(),
      clusterId: replica.clusterId,
      clockMs: replica.store.clockMs,
      stateHash: replica.store.stateHash,
      activeVersion: replica.store.activeVersion,
      skewMs: replica.skewMs(),
      disks: this.#room.disks,
      acceptsNew: this.#room.acceptsNew,
      pauses: { count: this.#pauses.count, longestMs: this.#pauses.longestMs },
      writingMs: this.#ports.disk.writingMs(),
      leaderChanges: this.#observer.leaderChanges,
      skewHandOvers: this.#skewGuard.handOvers,
      requestsInProgress: this.#quota.requests,
      backupsInProgress: this.#backups.running,
      refusals: new Map([
        ...this.#leadership.pastRefusals,
        ...this.#quota.refusals,
        ['minFreeBytes', this.#room.refused] as const,
        ['backups', this.#backups.refused] as const,
      ]),
    };
  }

  async stop(): Promise<void> {
    this.#end();
    await within(this.#replica.stop(), stopMs, this.#ports);
  }

  /** From here on nobody is served; those who wait are answered. */
  #end(): void {
    this.#phase = 'stopping';
    this.#disarm?.();
    this.#leadership.stop();
    this.#room.stop();
    this.#placement.stop();
  }

  #fail(error: unknown): void {
    if (this.#phase === 'stopping') return;
    this.#end();
    // A member that serves nobody must not go on sending heartbeats: the others would follow it for ever.
    void this.#leave();
    this.#ports.onFatal(error instanceof Error ? error : new Error(String(error)));
  }

  #faulted(verb: Verb, error: unknown): void {
    this.#ports.log.error({ event: 'service.fault', verb, error }, 'a request met a fault of this node');
    // A damaged row or block is not this request's alone: what else it would have answered is not known.
    if (isDirectoryFault(error)) this.#fail(error);
  }

  /** The fault that made this necessary is told already. */
  async #leave(): Promise<void> {
    try {
      await this.#replica.stop();
    } catch {
      // A second fault on the way out changes nothing.
    }
  }

  #becomeLeader(term: number): void {
    if (this.#phase === 'stopping') return;
    const { lastIndex } = this.#replica.status();
    this.#ports.log.info({ event: 'raft.leader', term, lastIndex }, 'became leader');
    this.#leadership.becomeLeader(term);
  }

  #loseLeader(term: number): void {
    this.#ports.log.info({ event: 'raft.leaderLost', term }, 'leads no more');
    this.#leadership.loseLeader(term);
  }

  /**
   * Whether no quorum was heard within an election timeout of monotonic now. Asked at each handover and twice a request,
   * so raft is asked only when the last answer no longer settles it: the time of hearing never goes back. While leadership
   * is handed over, a majority may vote for another leader without a silence.
   */
  #inDoubt(): boolean {
    if (this.#isHandingOver) return this.#stillHandsOver();
    const sinceMs = this.#ports.clock.monotonicMs() - this.#config.timing.electionMinMs;
    if (this.#quorumHeardAtMs < sinceMs) this.#quorumHeardAtMs = this.#replica.status().quorumHeardAtMs;
    return this.#quorumHeardAtMs < sinceMs;
  }

  /** Whoever asks for it: from here on this node is in doubt. */
  #handOver(to: NodeId | undefined): TransferOutcome {
    const transferred = this.#replica.transferLeadership(to);
    if (transferred.kind === 'started') this.#isHandingOver = true;
    return transferred;
  }

  #stillHandsOver(): boolean {
    const { role, transferringTo } = this.#replica.status();
    this.#isHandingOver = role === 'leader' && transferringTo !== undefined;
    return this.#isHandingOver || this.#inDoubt();
  }

  #look(): void {
    if (this.#phase !== 'started') return;
    const { heartbeatMs } = this.#config.timing;
    const wasPaused = this.#pauses.woke();
    this.#replica.look();
    this.#leadership.watch();
    this.#observer.look({ wasPaused });
    this.#skewGuard.look();
    this.#activation.look();
    this.#aging.look();
    this.#promotion.look();
    this.#diskSpace.maybeLook();
    this.#room.look();
    this.#pauses.sleeps(heartbeatMs);
    this.#disarm = this.#ports.clock.after(heartbeatMs, () => this.#look());
  }

  #placeNow(): Place | undefined {
    if (this.#leadership.serving() !== undefined) return { kind: 'here' };
    const { leader, role } = this.#replica.status();
    const peer = this.#replica.peers().find(({ id }) => id === leader);
    return role === 'leader' || peer === undefined || peer.id === this.#config.id ? undefined : { kind: 'there', peer };
  }

  #leading(): Leading {
    const serving = this.#leadership.serving();
    if (serving !== undefined) return serving;
    throw new HoldfastError(this.#phase === 'started' ? 'HF_NO_LEADER' : 'HF_STOPPING');
  }

  #createPromotion(): Promotion {
    return createPromotion({
      serving: () => this.#leadership.serving() !== undefined,
      status: () => this.#replica.status(),
      promote: (id) => this.#replica.changeMembership({ kind: 'promote', id }),
      log: this.#ports.log,
    });
  }

  #createBackups(): Backups {
    return createBackups({
      store: this.#replica.store,
      clock: this.#ports.clock,
      clusterId: () => this.#replica.clusterId,
      isStopping: () => this.#phase !== 'started',
      onFault: (error) => this.#faulted('backup', error),
    });
  }

  #createService(): Service {
    const { id, peers, timing } = this.#config;
    const self = peers.find((peer) => peer.id === id);
    if (self === undefined) throw new RangeError(`${id} is not among its peers`);
    const ports = this.#ports;
    return createService({
      desk: {
        replica: this.#replica,
        membership: {
          changeMembership: (change) => this.#replica.changeMembership(change),
          transferLeadership: (to) => this.#handOver(to),
        },
        backups: this.#backups,
        self,
        peers: () => this.#replica.peers(),
        status: () => this.status(),
        leading: () => this.#leading(),
        requireRoom: () => this.#room.require(),
        randomBytes: ports.randomBytes,
      },
      placement: this.#placement,
      reads: {
        placement: this.#placement,
        byAny: () => this.#replica.mayUse('readIndex'),
        readIndex: () => this.#replica.readIndex(),
      },
      quota: this.#quota,
      forward: (to, verb, request, options) => ports.forward(to, verb, request, options),
      retryAfterMs: timing.electionMinMs,
      isStopping: () => this.#phase !== 'started',
      onFault: (verb, error) => this.#faulted(verb, error),
    });
  }
}

function idleOf({ timing }: MemberConfig, { clock, log }: MemberPorts, replica: Replica): IdleLeader {
  const patienceMs = electionsToServe * timing.electionMaxMs;
  return createIdleLeader({ stepDown: () => replica.stepDown(), patienceMs, clock, log });
}

function roomOf(config: MemberConfig, ports: MemberPorts, replica: Replica, own: () => DiskSeen | undefined): Room {
  const request: RequestOf<'cluster'> = { params: {}, query: {}, body: undefined, idempotencyKey: undefined };
  return createRoom({
    self: config.id,
    peers: () => replica.peers(),
    own,
    leads: () => replica.status().role === 'leader',
    otherVoters: () => new Map([...replica.status().followers].filter(([, { voter }]) => voter)),
    async ask(peer, signal) {
      const { members } = await ports.forward(peer, 'cluster', request, { signal });
      return members.find(({ id }) => id === peer.id)?.disk;
    },
    clock: ports.clock,
    log: ports.log,
  });
}

function schedulerOf(
  replica: Replica,
  config: MemberConfig,
  ports: MemberPorts,
  { aging, inDoubt, onFault }: Pick<SchedulerPorts, 'inDoubt' | 'onFault'> & { readonly aging: Aging },
): Scheduler {
  const names = new Map<number, string>();
  return createScheduler(
    {
      store: replica.store,
      propose: (command) => replica.propose(command),
      stampMs: () => replica.stampMs(),
      answersAgedMs: () => aging.agedMs + answerMs - 1,
      clock: ports.clock,
      random: ports.random,
      inDoubt,
      onDelivered: (topic, latenessMs) => ports.onDelivered(nameOf(replica, names, topic), latenessMs),
      onFault,
    },
    { graceMs: config.graceMs, endedKeepMs: endedKeepMsOf(config) },
  );
}

const othersIn = ({ id, configuration }: RaftStatus): NodeId[] =>
  [...configuration.voters, ...configuration.learners].map((member) => member.id).filter((member) => member !== id);

/** Topics are never renamed, so a name that was looked up once stays right. As many as there are topics at most. */
function nameOf(replica: Replica, names: Map<number, string>, topic: number): string {
  const known = names.get(topic);
  if (known !== undefined) return known;
  const view = replica.store.view();
  for (const info of view.topics()) names.set(info.number, info.name);
  void view.close();
  return names.get(topic) ?? String(topic);
}

/** Waits for `done`, but not longer than `limitMs`. */
async function within(done: Promise<void>, limitMs: number, { clock, log }: MemberPorts): Promise<void> {
  let cancel = (): void => undefined;
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(limitMs, () => {
      log.warn({ event: 'member.stopLate', limitMs }, 'stopping takes too long and is not waited for');
      resolve();
    });
  });
  await Promise.race([done, late]);
  cancel();
}
