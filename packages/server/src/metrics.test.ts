// What Prometheus reads: every row of the table, with the values of the node at that moment.
import { expect, test } from 'vitest';
import { statusOf } from '../test/status.ts';
import type { MemberStatus } from './member.ts';
import { metricTable } from './metric-table.ts';
import { Metrics } from './metrics.ts';

const status = statusOf({});

function metricsOf(now: () => MemberStatus | undefined): Metrics {
  return new Metrics({
    status: now,
    refusals: () => new Map([['http.connections', 2]]),
    connections: () => 13,
    forwarding: () => 14,
  });
}

/** `name{labels}` -> value */
function read(page: string): Map<string, number> {
  return new Map(
    [...page.matchAll(/^([a-z_]+(?:\{[^}]*\})?) (\S+)$/gm)].map(([, name = '', value]) => [name, Number(value)]),
  );
}

test('a page shows the node as it is, in seconds and bytes', async () => {
  const metrics = metricsOf(() => status);
  metrics.delivered('reminders', 4);
  metrics.delivered('reminders', 2_000);
  metrics.wrote(3);
  metrics.answered('schedule', 200);
  metrics.answered('schedule', 200);
  metrics.answered('schedule', 429);
  const values = read(await metrics.page());
  expect(Object.fromEntries(values)).toMatchObject({
    'holdfast_role{role="leader"}': 1,
    'holdfast_role{role="follower"}': 0,
    holdfast_serving: 1,
    holdfast_term: 7,
    holdfast_apply_lag_entries: 3,
    holdfast_durable_lag_entries: 5,
    'holdfast_follower_lag_entries{peer="n2"}': 20,
    holdfast_log_bytes: 12_345,
    holdfast_leader_changes_total: 2,
    holdfast_waiting_receives: 11,
    holdfast_outstanding_leases: 12,
    holdfast_oldest_lease_seconds: 2.5,
    holdfast_scheduler_rebuild_seconds: 0.04,
    'holdfast_clock_skew_seconds{peer="n2"}': -0.03,
    'holdfast_refusals_total{bound="proposals"}': 5,
    'holdfast_refusals_total{bound="waiting"}': 7,
    'holdfast_refusals_total{bound="requests"}': 9,
    'holdfast_refusals_total{bound="http.connections"}': 2,
    'holdfast_delivery_lateness_seconds_bucket{le="0.005",topic="reminders"}': 1,
    'holdfast_delivery_lateness_seconds_bucket{le="2.5",topic="reminders"}': 2,
    holdfast_log_write_seconds_sum: 0.003,
    'holdfast_http_requests_total{verb="schedule",status="200"}': 2,
    'holdfast_http_requests_total{verb="schedule",status="429"}': 1,
    holdfast_requests_in_progress: 8,
    holdfast_http_connections: 13,
    holdfast_forwarded_in_flight: 14,
    holdfast_early_deliveries_total: 0,
    holdfast_disk_free_bytes: 1_000,
    holdfast_disk_low: 1,
    holdfast_clock_hand_overs_total: 4,
    holdfast_log_write_in_progress_seconds: 0.25,
    holdfast_process_pauses_total: 3,
    holdfast_process_longest_pause_seconds: 1.5,
  });
});

test('a count is the same at every scrape, and what is gone is not shown any longer', async () => {
  let now: MemberStatus | undefined = status;
  const metrics = metricsOf(() => now);
  await metrics.page();
  expect(read(await metrics.page()).get('holdfast_leader_changes_total')).toBe(2);
  now = { ...status, scheduler: undefined, raft: { ...status.raft, role: 'follower', followers: new Map() } };
  const later = read(await metrics.page());
  expect(later.has('holdfast_follower_lag_entries{peer="n2"}')).toBe(false);
  expect(later.get('holdfast_waiting_receives')).toBe(0);
});

test('an early delivery is counted as the bug that it is', async () => {
  const metrics = metricsOf(() => status);
  metrics.delivered('t', -1);
  expect(read(await metrics.page()).get('holdfast_early_deliveries_total')).toBe(1);
});

test('the table and the page name the same metrics, before the node has started too', async () => {
  for (const now of [() => status, () => undefined]) {
    const page = await metricsOf(now).page();
    const shown = [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => `${name} ${kind}`);
    expect(shown.sort()).toEqual(
      Object.values(metricTable)
        .map(({ name, kind }) => `${name} ${kind}`)
        .sort(),
    );
  }
});
