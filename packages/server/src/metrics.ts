// Fills the table of metrics. Gauges and absolute counts are read from the node when somebody scrapes; only histograms and
// the count of answers cost anything in between.
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { MemberStatus } from './member.ts';
import { type MetricRow, metricTable } from './metric-table.ts';

const roles = ['follower', 'preCandidate', 'candidate', 'leader'] as const;
// 3, 20, 100, 500 ms and 1.5 s are promises: each of them is an edge.
const latenessEdges = [0.001, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5, 5, 15, 60];
const writeEdges = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** What is read at each scrape. `status` is undefined while the node starts. */
export interface MetricSources {
  status(): MemberStatus | undefined;
  /** Counted where they happen: bounds of the HTTP side, of forwarding. */
  refusals(): ReadonlyMap<string, number>;
  connections(): number;
  forwarding(): number;
}

export class Metrics {
  readonly #sources: MetricSources;
  readonly #registry = new Registry();
  readonly #gauges = new Map<string, Gauge>();
  readonly #counters = new Map<string, Counter>();
  readonly #lateness: Histogram;
  readonly #logWrite: Histogram;
  readonly #requests = new Map<string, Map<number, number>>();
  #early = 0;
  #loop: EventLoopUtilization = performance.eventLoopUtilization();

  constructor(sources: MetricSources) {
    this.#sources = sources;
    const registers = [this.#registry];
    for (const { name, kind, labels, says } of Object.values<MetricRow>(metricTable)) {
      const options = { name, help: says, labelNames: [...labels], registers };
      if (kind === 'gauge') this.#gauges.set(name, new Gauge(options));
      if (kind === 'counter') this.#counters.set(name, new Counter(options));
    }
    const { lateness, logWrite } = metricTable;
    this.#lateness = new Histogram({
      name: lateness.name,
      help: lateness.says,
      labelNames: [...lateness.labels],
      registers,
      buckets: latenessEdges,
    });
    this.#logWrite = new Histogram({ name: logWrite.name, help: logWrite.says, registers, buckets: writeEdges });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** A first handover, and how late it was. */
  delivered(topic: string, latenessMs: number): void {
    if (latenessMs < 0) this.#early += 1;
    this.#lateness.observe({ topic }, latenessMs / 1_000);
  }

  /** One synced batch reached the disk. */
  wrote(durationMs: number): void {
    this.#logWrite.observe(durationMs / 1_000);
  }

  answered(verb: string, status: number): void {
    let byStatus = this.#requests.get(verb);
    if (byStatus === undefined) this.#requests.set(verb, (byStatus = new Map()));
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  }

  /** @returns the page that Prometheus reads */
  async page(): Promise<string> {
    const status = this.#sources.status();
    if (status !== undefined) {
      this.#readRaft(status);
      this.#readScheduler(status);
      this.#readWatches(status);
    }
    this.#readProcess();
    this.#readRequests();
    const refusals = new Map(this.#sources.refusals());
    for (const counted of [status?.raft.refusals, status?.scheduler?.refusals, status?.refusals]) {
      for (const [bound, count] of counted ?? []) refusals.set(bound, (refusals.get(bound) ?? 0) + count);
    }
    this.#count(
      'refusals',
      [...refusals].map(([bound, count]) => [{ bound }, count]),
    );
    return await this.#registry.metrics();
  }

  #readWatches({ backupsInProgress, raft, disks, pauses, writingMs, skewHandOvers }: MemberStatus): void {
    const disk = disks.get(raft.id);
    this.#set('diskFree', disk === undefined ? [] : [[{}, disk.freeBytes]]);
    this.#set('diskLow', disk?.low === true ? 1 : 0);
    this.#set('writing', writingMs / 1_000);
    this.#count('pauses', pauses.count);
    this.#count('skewHandOvers', skewHandOvers);
    this.#set('longestPause', pauses.longestMs / 1_000);
    this.#set('backupsInProgress', backupsInProgress);
  }

  #readRaft({ raft, serving, activeVersion, leaderChanges, skewMs, requestsInProgress }: MemberStatus): void {
    this.#set(
      'role',
      roles.map((role) => [{ role }, raft.role === role ? 1 : 0]),
    );
    this.#set('serving', serving ? 1 : 0);
    this.#set('term', raft.term);
    this.#set('commit', raft.commit);
    this.#set('applied', raft.applied);
    this.#set('applyLag', raft.commit - raft.applied);
    this.#set('durableLag', raft.lastIndex - raft.durableIndex);
    const lags = [...raft.followers].filter(([peer]) => peer !== raft.id);
    this.#set(
      'followerLag',
      lags.map(([peer, { match }]) => [{ peer }, raft.lastIndex - match]),
    );
    this.#set('logBytes', raft.logBytes);
    this.#count('compacted', raft.compactedEntries);
    this.#count('snapshotsInstalled', raft.snapshots.installed);
    this.#count('snapshotSent', raft.snapshots.sentBytes);
    this.#set('activeVersion', activeVersion);
    this.#set('waitingProposals', raft.waitingProposals);
    this.#set('requestsInProgress', requestsInProgress);
    this.#count('leaderChanges', leaderChanges);
    this.#set(
      'skew',
      [...skewMs].map(([peer, ms]) => [{ peer }, ms / 1_000]),
    );
  }

  /** There is one on the leader only: elsewhere nothing waits and nothing is leased. */
  #readScheduler({ scheduler }: MemberStatus): void {
    this.#set('waitingReceives', scheduler?.waitingReceives ?? 0);
    this.#set('leases', scheduler?.leases ?? 0);
    this.#set('oldestLease', (scheduler?.oldestLeaseMs ?? 0) / 1_000);
    if (scheduler !== undefined) this.#set('rebuild', scheduler.rebuildMs / 1_000);
  }

  #readProcess(): void {
    const now = performance.eventLoopUtilization();
    this.#set('loop', performance.eventLoopUtilization(now, this.#loop).utilization);
    this.#loop = now;
    const { user, system } = process.cpuUsage();
    this.#count('cpu', (user + system) / 1e6);
    const { rss, heapUsed } = process.memoryUsage();
    this.#set('memory', rss);
    this.#set('heap', heapUsed);
    this.#set('started', performance.timeOrigin / 1_000);
    this.#set('connections', this.#sources.connections());
    this.#set('forwarding', this.#sources.forwarding());
    this.#count('early', this.#early);
  }

  #readRequests(): void {
    const rows = [...this.#requests].flatMap(([verb, byStatus]) =>
      [...byStatus].map(([status, count]): Labelled => [{ verb, status: String(status) }, count]),
    );
    this.#count('requests', rows);
  }

  #set(metric: keyof typeof metricTable, value: number | readonly Labelled[]): void {
    const gauge = this.#gauges.get(metricTable[metric].name);
    gauge?.reset();
    for (const [labels, one] of labelled(value)) gauge?.set(labels, one);
  }

  /** The count is kept elsewhere, and is the truth since the process started. */
  #count(metric: keyof typeof metricTable, value: number | readonly Labelled[]): void {
    const counter = this.#counters.get(metricTable[metric].name);
    counter?.reset();
    for (const [labels, one] of labelled(value)) counter?.inc(labels, one);
  }
}

type Labelled = readonly [labels: Readonly<Record<string, string>>, value: number];

const labelled = (value: number | readonly Labelled[]) => (typeof value === 'number' ? [[{}, value] as const] : value);
