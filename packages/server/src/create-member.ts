// A member put together: replica, leadership and service, and a look every heartbeat at what no event tells. Start and stop
// stand here in order; everything else is in the files that this one names.
import { HoldfastError } from '@holdfast/api';
import { createScheduler } from '@holdfast/scheduler';
import { CorruptRow } from '@holdfast/store';
import { createLeadership, type Leadership } from './leadership.ts';
import type { Member, MemberConfig, MemberPorts, MemberStatus } from './member.ts';
import { createObserver } from './observer.ts';
import { openReplica, type Replica } from './replica.ts';
import type { Desk } from './service/desk.ts';
import { createPlacement, type Place } from './service/placement.ts';
import { createQuota } from './service/quota.ts';
import { createService } from './service/service.ts';

/** A request waits for a leader as long as about two elections take. */
const electionsToWait = 2;
/** A stop that takes longer goes on without raft's last write: the log has everything that was acknowledged. */
const stopMs = 10_000;

/**
 * Opens log and state; the member is not started yet.
 *
 * @throws RaftError, CorruptRow when the directory is damaged, or another member's: nothing was changed
 */
export async function createMember(config: MemberConfig, ports: MemberPorts): Promise<Member> {
  const { clock, log } = ports;
  const { timing } = config;
  const self = config.peers.find((peer) => peer.id === config.id);
  if (self === undefined) throw new RangeError(`${config.id} is not among its peers`);
  let phase: 'opened' | 'started' | 'stopping' = 'opened';
  let disarm: (() => void) | undefined;

  const fail = (error: unknown): void => {
    if (phase === 'stopping') return;
    end();
    ports.onFatal(error instanceof Error ? error : new Error(String(error)));
  };
  /** From here on nobody is served; those who wait are answered. */
  const end = (): void => {
    phase = 'stopping';
    disarm?.();
    leadership.stop();
    placement.stop();
  };

  const replica = await openReplica(config, ports, {
    onLeader(term) {
      if (phase !== 'started') return;
      log.info({ event: 'raft.leader', term, lastIndex: replica.status().lastIndex }, 'became leader');
      leadership.becomeLeader(term);
    },
    onLeaderLost(term) {
      log.info({ event: 'raft.leaderLost', term }, 'leads no more');
      leadership.loseLeader(term);
    },
    onFatal: fail,
  });
  const inDoubt = (): boolean => clock.monotonicMs() - replica.status().quorumHeardAtMs > timing.electionMinMs;
  const leadership: Leadership = createLeadership({
    createScheduler: () => schedulerOf(replica, config, ports, inDoubt, fail),
    inDoubt,
    onChange: () => placement.changed(),
    onFatal: fail,
    log,
  });
  const placement = createPlacement({
    now: () => placeOf(leadership, replica, config),
    clock,
    pollMs: timing.tickMs,
    waitMs: electionsToWait * timing.electionMaxMs,
  });
  const quota = createQuota();
  const observer = createObserver({
    status: () => replica.status(),
    skewMs: () => replica.skewMs(),
    maxClockSkewMs: config.maxClockSkewMs,
    log,
  });
  const status = (): MemberStatus => ({
    raft: replica.status(),
    serving: leadership.serving() !== undefined,
    scheduler: leadership.scheduler?.status(),
    clusterId: replica.clusterId,
    clockMs: replica.store.clockMs,
    stateHash: replica.store.stateHash,
    skewMs: replica.skewMs(),
    leaderChanges: observer.leaderChanges,
    requestsInProgress: quota.requests,
    refusals: quota.refusals,
  });
  const desk: Desk = {
    replica,
    self,
    peers: config.peers,
    status,
    leading() {
      const serving = leadership.serving();
      if (serving !== undefined) return serving;
      throw new HoldfastError(phase === 'started' ? 'HF_NO_LEADER' : 'HF_STOPPING');
    },
    randomBytes: ports.randomBytes,
  };
  const service = createService({
    desk,
    placement,
    quota,
    forward: ports.forward,
    retryAfterMs: timing.electionMinMs,
    isStopping: () => phase !== 'started',
    onFault(verb, error) {
      log.error({ event: 'service.fault', verb, error }, 'a request met a fault of this node');
      if (error instanceof CorruptRow) fail(error);
    },
  });
  const look = (): void => {
    leadership.watch();
    observer.look();
    disarm = clock.after(timing.heartbeatMs, look);
  };

  return {
    async start() {
      phase = 'started';
      await replica.start();
      look();
    },
    service,
    status,
    async stop() {
      if (phase !== 'stopping') end();
      await within(replica.stop(), stopMs, ports);
    },
  };
}

function schedulerOf(
  replica: Replica,
  config: MemberConfig,
  ports: MemberPorts,
  inDoubt: () => boolean,
  onFault: (error: unknown) => void,
) {
  const names = new Map<number, string>();
  return createScheduler({
    store: replica.store,
    propose: (command) => replica.propose(command),
    stampMs: replica.stampMs,
    clock: ports.clock,
    random: ports.random,
    graceMs: config.graceMs,
    inDoubt,
    onDelivered: (topic, latenessMs) => ports.onDelivered(nameOf(replica, names, topic), latenessMs),
    onFault,
  });
}

/** Topics are never renamed, so a name that was looked up once stays right. As many as there are topics at most. */
function nameOf(replica: Replica, names: Map<number, string>, topic: number): string {
  const known = names.get(topic);
  if (known !== undefined) return known;
  const view = replica.store.view();
  for (const info of view.topics()) names.set(info.number, info.name);
  void view.close();
  return names.get(topic) ?? String(topic);
}

function placeOf(leadership: Leadership, replica: Replica, config: MemberConfig): Place | undefined {
  if (leadership.serving() !== undefined) return { kind: 'here' };
  const { leader, role } = replica.status();
  if (role === 'leader' || leader === undefined || leader === config.id) return undefined;
  const peer = config.peers.find(({ id }) => id === leader);
  return peer && { kind: 'there', peer };
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
