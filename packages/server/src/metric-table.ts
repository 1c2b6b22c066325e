// Every metric of a node: name, labels, what it says, and what to look at when it rises. docs/metrics.md is printed from it.

export interface MetricRow {
  readonly name: string;
  readonly kind: 'gauge' | 'counter' | 'histogram';
  readonly labels: readonly string[];
  readonly says: string;
  /** What to look at when it rises (or falls, where that is the bad way). */
  readonly then: string;
}

export const metricTable = {
  role: {
    name: 'holdfast_role',
    kind: 'gauge',
    labels: ['role'],
    says: '1 for the role that this node has, 0 for the others.',
    then: 'Not exactly one leader for longer than a second: look at the log of every node.',
  },
  serving: {
    name: 'holdfast_serving',
    kind: 'gauge',
    labels: [],
    says: '1 when this node leads, serves and is not in doubt.',
    then: 'No node at 1 for longer than a second: nothing is delivered.',
  },
  term: {
    name: 'holdfast_term',
    kind: 'gauge',
    labels: [],
    says: 'The term of the election.',
    then: 'It rises with every election; see holdfast_leader_changes_total.',
  },
  commit: {
    name: 'holdfast_commit_index',
    kind: 'gauge',
    labels: [],
    says: 'The last entry that this node knows to be on a majority of disks.',
    then: 'It stands still while there are writes: no majority.',
  },
  applied: {
    name: 'holdfast_applied_index',
    kind: 'gauge',
    labels: [],
    says: 'The last entry that is in the state.',
    then: 'See holdfast_apply_lag_entries.',
  },
  applyLag: {
    name: 'holdfast_apply_lag_entries',
    kind: 'gauge',
    labels: [],
    says: 'Committed, and not yet in the state.',
    then: 'CPU is short, or one entry is very large.',
  },
  durableLag: {
    name: 'holdfast_durable_lag_entries',
    kind: 'gauge',
    labels: [],
    says: 'In the log in memory, and not yet on the own disk.',
    then: 'The disk is slow: holdfast_log_write_seconds.',
  },
  followerLag: {
    name: 'holdfast_follower_lag_entries',
    kind: 'gauge',
    labels: ['peer'],
    says: 'As the leader sees it: entries that a follower does not have.',
    then: 'That node is away, slow, or behind a bad network.',
  },
  logBytes: {
    name: 'holdfast_log_bytes',
    kind: 'gauge',
    labels: [],
    says: 'Bytes of the log on disk. It only grows in this version.',
    then: 'Plan for the disk; the limits are in the README.',
  },
  leaderChanges: {
    name: 'holdfast_leader_changes_total',
    kind: 'counter',
    labels: [],
    says: 'How often this node saw another leader.',
    then: 'More than at restarts: the network, the disk (holdfast_log_write_seconds) or a starved CPU.',
  },
  waitingProposals: {
    name: 'holdfast_waiting_proposals',
    kind: 'gauge',
    labels: [],
    says: 'Commands that wait for their turn to be written.',
    then: 'More is asked than the disks can write.',
  },
  waitingReceives: {
    name: 'holdfast_waiting_receives',
    kind: 'gauge',
    labels: [],
    says: 'Receives that wait for a message to fall due.',
    then: 'Nothing, as long as it is the number of idle consumers.',
  },
  leases: {
    name: 'holdfast_outstanding_leases',
    kind: 'gauge',
    labels: [],
    says: 'Messages in the hands of consumers.',
    then: 'Consumers are slow, or do not acknowledge.',
  },
  oldestLease: {
    name: 'holdfast_oldest_lease_seconds',
    kind: 'gauge',
    labels: [],
    says: 'Age of the oldest lease.',
    then: 'A consumer hangs and extends its lease forever.',
  },
  rebuild: {
    name: 'holdfast_scheduler_rebuild_seconds',
    kind: 'gauge',
    labels: [],
    says: 'How long the scheduler took to be ready when this node became leader.',
    then: 'It adds to the gap after a change of leader: many leases, or a slow disk.',
  },
  skew: {
    name: 'holdfast_clock_skew_seconds',
    kind: 'gauge',
    labels: ['peer'],
    says: "A node's clock minus the median of all, where known.",
    then: 'Repair the time service of that machine: messages come early or late by as much.',
  },
  refusals: {
    name: 'holdfast_refusals_total',
    kind: 'counter',
    labels: ['bound'],
    says: 'Refused or dropped because a bound was reached, by the name of the bound; dropped messages between nodes among them.',
    then: 'The bound says what there is too much of.',
  },
  lateness: {
    name: 'holdfast_delivery_lateness_seconds',
    kind: 'histogram',
    labels: ['topic'],
    says: 'From a message being due to its first lease. Never negative: an early delivery is a bug.',
    then: 'p99 over 0.1 for 5 minutes: holdfast_log_write_seconds, then leader changes, then whether consumers wait at all.',
  },
  early: {
    name: 'holdfast_early_deliveries_total',
    kind: 'counter',
    labels: [],
    says: 'Deliveries before their time. Always 0.',
    then: 'Report it.',
  },
  logWrite: {
    name: 'holdfast_log_write_seconds',
    kind: 'histogram',
    labels: [],
    says: 'One write to the disk, with fsync: what every acknowledgement waits for.',
    then: 'p99 over 0.1: the disk is slow or shared.',
  },
  forwarding: {
    name: 'holdfast_forwarded_in_flight',
    kind: 'gauge',
    labels: [],
    says: 'Requests that this node has passed to the leader and that are not answered.',
    then: 'The leader is slow; or connect clients to the leader.',
  },
  requests: {
    name: 'holdfast_http_requests_total',
    kind: 'counter',
    labels: ['verb', 'status'],
    says: 'Answers of the API, by route and status.',
    then: '429 and 503: holdfast_refusals_total. 500: the log, event http.fault.',
  },
  connections: {
    name: 'holdfast_http_connections',
    kind: 'gauge',
    labels: [],
    says: 'Open connections to the API.',
    then: 'Let clients share connections.',
  },
  loop: {
    name: 'holdfast_event_loop_utilization',
    kind: 'gauge',
    labels: [],
    says: 'Share of the time since the last scrape in which the process was busy, 0 to 1.',
    then: 'Near 1: CPU is the limit.',
  },
  cpu: {
    name: 'process_cpu_seconds_total',
    kind: 'counter',
    labels: [],
    says: 'CPU time of the process.',
    then: 'See holdfast_event_loop_utilization.',
  },
  memory: {
    name: 'process_resident_memory_bytes',
    kind: 'gauge',
    labels: [],
    says: 'Memory of the process.',
    then: 'Many leases or large bodies in flight; else report it.',
  },
  heap: {
    name: 'nodejs_heap_size_used_bytes',
    kind: 'gauge',
    labels: [],
    says: 'JavaScript heap in use.',
    then: 'As above.',
  },
  started: {
    name: 'process_start_time_seconds',
    kind: 'gauge',
    labels: [],
    says: 'When the process started, since the epoch.',
    then: 'It changes with every restart.',
  },
} as const satisfies Readonly<Record<string, MetricRow>>;
