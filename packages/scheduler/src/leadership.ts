// One leadership from `begin` to its end. Everything happens in `#look`, which runs after changes, after the end of
// proposals and by one timer, and asks the clocks anew each time.
import { type Change, defaultLimits, type GroupInfo } from '@holdfast/store';
import { type Bounds, Counters, defaultBounds, pauseMs } from './bounds.ts';
import { type ChangeHandlers, takeUp } from './changes.ts';
import { Collector } from './collect.ts';
import { Arrivals } from './delivery/arrivals.ts';
import { Consumers } from './delivery/consumers.ts';
import { Handover } from './delivery/handover.ts';
import { Repeats } from './delivery/repeats.ts';
import { Serving } from './delivery/serve.ts';
import { createGroup, Groups } from './group.ts';
import { backoffMs } from './leases/backoff.ts';
import { LeaseEnds } from './leases/lease-ends.ts';
import { LeaseTable } from './leases/lease-table.ts';
import { type Life, runApart } from './life.ts';
import type { ReceiveAnswer, ReceiveRequest, SchedulerPorts } from './ports.ts';
import { Proposed } from './proposed.ts';
import { Rebuild } from './rebuild.ts';
import type { Scheduler, SchedulerConfig, SchedulerStatus } from './scheduler.ts';
import { Upcoming } from './upcoming.ts';
import { SingleTimer } from './wakeups.ts';

export function createScheduler(ports: SchedulerPorts, config: SchedulerConfig): Scheduler {
  return new Leadership(ports, config);
}

const defaults = {
  graceMs: 3_000,
  commitBudgetMs: 20,
  endedKeepMs: defaultLimits.endedKeepMs,
  collectEveryMs: 5_000,
  collectPauseMs: 5,
} as const;

/** While the stamp stands still (no quorum of clocks is known), it is asked no more often than this. */
const stuckStampMs = 20;

/** Node's timers take no more than 2^31 - 1 ms. */
const longestTimerMs = 2 ** 31 - 1;

class Leadership implements Scheduler, Life {
  readonly ports: SchedulerPorts;
  readonly bounds: Bounds;
  readonly refusals: Counters = new Counters();
  readonly proposed: Proposed;
  readonly groups: Groups = new Groups();
  readonly leases: LeaseTable = new LeaseTable();
  readonly #graceMs: number;
  readonly #consumers: Consumers;
  readonly #handover: Handover;
  readonly #serving: Serving;
  readonly #repeats: Repeats;
  readonly #arrivals: Arrivals;
  readonly #leaseEnds: LeaseEnds;
  readonly #rebuild: Rebuild;
  readonly #collector: Collector;
  readonly #timer: SingleTimer;
  readonly #handlers: ChangeHandlers;
  readonly #stopped: Promise<void>;
  #resolveStopped: () => void = () => {};
  #phase: 'beginning' | 'serving' | 'stopped' = 'beginning';
  #isWakeAsked = false;
  #idleCheckMs = 0;
  /** The last stamp that was read, and since when (monotonic) it has been the same. */
  #stamp = { ms: 0, sinceMs: 0 };

  constructor(ports: SchedulerPorts, config: SchedulerConfig) {
    const settings = { ...defaults, ...config };
    this.ports = ports;
    this.bounds = { ...defaultBounds, ...config.bounds };
    this.#graceMs = settings.graceMs;
    this.proposed = new Proposed(ports, settings.commitBudgetMs / 4);
    this.#consumers = new Consumers(this, settings.commitBudgetMs);
    this.#handover = new Handover(this, this.#consumers);
    this.#serving = new Serving(this, this.#consumers, this.#handover);
    this.#repeats = new Repeats(this, this.#consumers, this.#handover, this.#serving);
    this.#arrivals = new Arrivals(this, this.#consumers, this.#repeats, this.#serving);
    this.#leaseEnds = new LeaseEnds(this, settings.graceMs);
    this.#rebuild = new Rebuild(this, (group) => this.#repeats.holdsLoaded(group));
    this.#collector = new Collector(this, settings);
    this.#timer = new SingleTimer(ports.clock, () => this.wake());
    this.#handlers = {
      want: (group) => this.#serving.want(group),
      begun: (releaseFromMs) => this.#leaseEnds.begun(releaseFromMs),
      leaseEnded: () => this.#serving.leaseEnded(),
      groupChanged: (topic, group, state) => this.#groupChanged(topic, group, state),
    };
    this.#stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
  }

  async start(): Promise<void> {
    this.ports.store.listen((changes, clockMs) => this.#heard(changes, clockMs));
    for (let failures = 1; !this.isStopped(); failures++) {
      const begin = this.proposed.propose<'begin'>({ kind: 'begin', graceMs: this.#graceMs });
      const proposal = await Promise.race([begin, this.#stopped]);
      if (proposal === undefined || this.isStopped()) return;
      if (proposal.kind === 'applied') {
        this.#begun(proposal.verdict.releaseFromMs);
        return;
      }
      this.refusals.count('beginLost');
      await this.pause(pauseMs(failures, this.bounds));
    }
  }

  receive(request: ReceiveRequest, signal: AbortSignal): Promise<ReceiveAnswer> {
    return this.#arrivals.receive(request, signal);
  }

  backoffMs(topic: number, group: number, attempt: number): number {
    const config = this.groups.get(topic, group)?.config;
    // Unknown here: deleted, or not begun yet. The nack that asks will be refused, or repeated elsewhere.
    return config === undefined ? 0 : backoffMs(config, attempt, this.ports.random());
  }

  status(): SchedulerStatus {
    let windowPositions = 0;
    for (const group of this.groups.all()) windowPositions += group.upcoming.size;
    const oldestSinceMs = this.leases.oldestSinceMs;
    return {
      waitingReceives: this.#consumers.size + this.#arrivals.early,
      leases: this.leases.size,
      oldestLeaseMs: oldestSinceMs === undefined ? 0 : Math.max(0, this.ports.store.clockMs - oldestSinceMs),
      rebuildMs: this.#rebuild.tookMs,
      windowPositions,
      proposalsInFlight: this.proposed.size,
      refusals: this.refusals.all(),
    };
  }

  stop(): void {
    if (this.#phase === 'stopped') return;
    this.#phase = 'stopped';
    this.ports.store.listen(undefined);
    this.#timer.cancel();
    this.#resolveStopped();
    this.#arrivals.stop();
  }

  isServing(): boolean {
    return this.#phase === 'serving';
  }

  isStopped(): boolean {
    return this.#phase === 'stopped';
  }

  wake(): void {
    if (this.#isWakeAsked) return;
    this.#isWakeAsked = true;
    queueMicrotask(() => {
      this.#isWakeAsked = false;
      this.#guarded(() => this.#look());
    });
  }

  fault(error: unknown): void {
    this.ports.onFault(error);
    this.stop();
  }

  #guarded(work: () => void): void {
    if (this.isStopped()) return;
    try {
      work();
    } catch (error) {
      this.fault(error);
    }
  }

  async pause(delayMs: number): Promise<void> {
    let cancel = (): void => {};
    const passed = new Promise<void>((resolve) => {
      cancel = this.ports.clock.after(delayMs, resolve);
    });
    await Promise.race([passed, this.#stopped]);
    cancel();
  }

  #begun(releaseFromMs: number): void {
    this.#phase = 'serving';
    this.#leaseEnds.begun(releaseFromMs);
    const view = this.ports.store.view();
    for (const topic of view.topics()) {
      this.#collector.sweep(topic.number);
      for (const group of view.groups(topic.number)) if (group.state === 'active') this.#addGroup(group);
    }
    runApart(this, () => view.close());
    this.#arrivals.begun();
    runApart(this, () => this.#rebuild.run());
    this.wake();
  }

  #addGroup(info: GroupInfo): void {
    const upcoming = new Upcoming(this.ports.store, info.topic, info.number, this.bounds.windowPositions);
    const group = createGroup(info.topic, info.number, info.config, upcoming);
    this.groups.add(group);
    if (info.outstanding === 0) group.holdsLoaded = true;
    else this.#rebuild.add(group);
  }

  #heard(changes: readonly Change[], clockMs: number): void {
    this.#guarded(() => {
      for (const change of changes) takeUp(this, this.#handlers, change, clockMs);
    });
    this.wake();
  }

  #groupChanged(topic: number, number: number, state: 'active' | 'deleting' | 'deleted'): void {
    if (!this.isServing()) return;
    this.#collector.sweep(topic);
    const known = this.groups.get(topic, number);
    if (state === 'active') {
      const view = this.ports.store.view();
      const info = view.groups(topic).find((group) => group.number === number);
      runApart(this, () => view.close());
      if (info !== undefined && known !== undefined) known.config = info.config;
      else if (info?.state === 'active') this.#addGroup(info);
    } else if (known !== undefined) {
      this.#consumers.refuseGroup(known);
      this.leases.removeGroup(known);
      this.#serving.leaseEnded();
      this.#serving.forget(known);
      this.#rebuild.drop(known);
      this.groups.remove(known);
    }
  }

  #look(): void {
    const monotonicMs = this.ports.clock.monotonicMs();
    if (this.#phase === 'beginning') {
      this.#arrivals.expireEarly(monotonicMs);
      this.#timer.arm(this.bounds.maxSleepMs);
      return;
    }
    this.#consumers.expire(monotonicMs);
    // Doubt is a function: no event tells that it ended, or that it began.
    if (this.ports.inDoubt()) {
      this.#timer.arm(this.bounds.doubtCheckMs);
      return;
    }
    this.#handover.look();
    const stampMs = this.ports.stampMs();
    this.#leaseEnds.look(stampMs);
    this.#serving.look(stampMs, monotonicMs);
    runApart(this, () => this.#collector.look(monotonicMs));
    this.#forgetIdle(monotonicMs);
    this.#arm(stampMs, monotonicMs);
  }

  #arm(stampMs: number, monotonicMs: number): void {
    if (stampMs !== this.#stamp.ms) this.#stamp = { ms: stampMs, sinceMs: monotonicMs };
    const leastMs = monotonicMs - this.#stamp.sinceMs >= 2 ? stuckStampMs : 0;
    const stampInMs = Math.min(this.#serving.nextInMs(stampMs, monotonicMs), this.#leaseEnds.nextInMs(stampMs));
    const monotonicInMs = Math.min(this.#consumers.nextDeadlineMs - monotonicMs, this.#collector.nextInMs(monotonicMs));
    // Cluster time may jump ahead, so whoever waits for it looks again before long. Monotonic time does not.
    const inMs = Math.min(Math.max(stampInMs, leastMs), monotonicInMs);
    const mostMs = stampInMs < Number.POSITIVE_INFINITY ? this.bounds.maxSleepMs : longestTimerMs;
    this.#timer.arm(Math.min(inMs, mostMs));
  }

  /** The windows of groups that nobody has asked for a while are given back. */
  #forgetIdle(monotonicMs: number): void {
    if (monotonicMs < this.#idleCheckMs) return;
    this.#idleCheckMs = monotonicMs + this.bounds.idleGroupMs;
    for (const group of this.groups.all()) {
      const isIdle = group.waiters.size === 0 && group.leaseCommands === 0;
      if (isIdle && group.usedAtMs + this.bounds.idleGroupMs <= monotonicMs) group.upcoming.reset();
    }
  }
}
