// A follower was away until the log no longer reached back to it: it is sent the whole state, `--waiting` messages, while
// the leader goes on with single schedules, 64 in flight. What that costs their rate and their acknowledgements, in one run.
import { setTimeout as pause } from 'node:timers/promises';
import { Holdfast } from 'holdfast';
import { figures, ms } from '../measure/percentiles.ts';
import { ProcessCluster } from '../processes/cluster.ts';
import { body, fillWaiting, hourMs, loops } from './load.ts';
import type { BenchOptions } from './options.ts';

const inFlight = 64;
/** The log is cut to so much, so that seconds of absence are enough. */
const logRetainBytes = 2 ** 20;
const caughtUpMs = 20 * 60_000;
type Phase = 'three members' | 'one is away' | 'it is sent the state' | 'afterwards';

export async function catchup({ waiting, seconds }: BenchOptions): Promise<void> {
  await using cluster = await ProcessCluster.create({
    nodes: 3,
    flags: ['--log-retain-bytes', String(logRetainBytes)],
  });
  cluster.startAll();
  const leader = await cluster.leader();
  const follower = cluster.ids.find((id) => id !== leader) ?? '';
  await using store = Holdfast.connect({ nodes: cluster.apis });
  await fillWaiting(store, 'bench', waiting);
  await cluster.caughtUp(caughtUpMs);
  const work = new Work();
  const topic = store.topic('bench');
  const working = work.run(() =>
    topic.schedule(body(), { at: Date.now() + hourMs + Math.floor(Math.random() * hourMs) }),
  );
  await work.during('three members', () => pause(seconds * 1_000));
  const left = await appliedBy(cluster, leader);
  await work.during('one is away', async () => {
    await cluster.signal(follower, 'SIGKILL');
    await pause(seconds * 1_000);
    const compacted = () => metric(cluster, leader, 'holdfast_log_compacted_entries_total');
    await cluster.until(
      `the log is cut beyond ${left}`,
      caughtUpMs,
      async () => (await compacted()) > left || undefined,
    );
  });
  const catchUpMs = await work.during('it is sent the state', async () => {
    cluster.start(follower);
    await cluster.until(`${follower} has what the leader has`, caughtUpMs, async () => {
      await pause(80);
      const commit = await appliedBy(cluster, leader);
      return (await appliedBy(cluster, follower)) >= commit || undefined;
    });
  });
  await work.during('afterwards', () => pause(seconds * 1_000));
  work.end();
  await working;
  const snapshots = cluster.log(follower).split('"raft.snapshot"').length - 1;
  const sent = await metric(cluster, leader, 'holdfast_snapshot_sent_bytes_total');
  const leads = await cluster.leader();
  work.report();
  console.log(
    `${follower} was sent ${(sent / 1e6).toFixed(1)} MB in ${snapshots} snapshot(s) with ${waiting} and more waiting, and had caught up ` +
      `${(catchUpMs / 1_000).toFixed(1)} s after its start; ${leads === leader ? 'the leader led all the while' : `${leads} leads now`}`,
  );
  if (snapshots !== 1 || leads !== leader) process.exitCode = 1;
}

/** Acknowledgements by phase. What was under way when a phase ended belongs to none. */
class Work {
  readonly #seen: { readonly phase: Phase; readonly tookMs: number }[] = [];
  readonly #lastedMs = new Map<Phase, number>();
  #phase: Phase | undefined;
  #isOver = false;

  async run(once: () => Promise<unknown>): Promise<void> {
    await loops(inFlight, async () => {
      const phase = this.#phase;
      const beganMs = performance.now();
      await once();
      if (phase !== undefined && phase === this.#phase) this.#seen.push({ phase, tookMs: performance.now() - beganMs });
      return !this.#isOver;
    });
  }

  /** @returns how long it lasted, ms */
  async during(phase: Phase, work: () => Promise<unknown>): Promise<number> {
    this.#phase = phase;
    const beganMs = performance.now();
    await work();
    const lastedMs = performance.now() - beganMs;
    this.#phase = undefined;
    this.#lastedMs.set(phase, lastedMs);
    return lastedMs;
  }

  end(): void {
    this.#isOver = true;
  }

  report(): void {
    let wholeRate: number | undefined;
    for (const [phase, lastedMs] of this.#lastedMs) {
      const took = this.#seen.filter((one) => one.phase === phase).map((one) => one.tookMs);
      const rate = took.length / (lastedMs / 1_000);
      wholeRate ??= rate;
      const { p50, p99, max } = figures(took);
      console.log(
        `${phase}: ${(lastedMs / 1_000).toFixed(1)} s, ${Math.round(rate)} messages/s (${((100 * rate) / wholeRate).toFixed(0)} %), ack p50 ${ms(p50)} p99 ${ms(p99)} worst ${ms(max)} ms`,
      );
    }
  }
}

const appliedBy = async (cluster: ProcessCluster, id: string): Promise<number> =>
  (await cluster.seenBy(id, 5_000))?.applied ?? 0;

async function metric(cluster: ProcessCluster, id: string, name: string): Promise<number> {
  const text = await (await fetch(`${cluster.api(id)}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1] ?? Number.NaN);
}
