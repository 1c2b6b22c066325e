// Guards of store, scheduler, server and client: positions, cursors, holds, leases, stamps, answers.
import { type Guard, idleLeaderStays } from './guard.ts';

const apply = 'packages/store/src/apply';
const scheduler = 'packages/scheduler/src';
const server = 'packages/server/src';

export const deliveryGuards: readonly Guard[] = [
  {
    name: 'H1-scan-to-the-applied-clock',
    rule: '[H1] nothing is leased, and no cursor goes, above the applied clock',
    profiles: ['swarm'],
    seeds: 60,
    changes: [
      {
        file: `${scheduler}/delivery/serve.ts`,
        text: 'const clockMs = this.#life.ports.store.clockMs;',
        instead: 'const clockMs = stampMs + 20;',
      },
      { file: `${apply}/lease.ts`, text: 'comparePositions(asked.to, now) <= 0', instead: 'true' },
    ],
  },
  {
    name: 'H2-lands-above-the-clock',
    rule: '[H2] every insertion lands at or above the clock, above every position that a scan may have seen',
    profiles: ['swarm'],
    seeds: 40,
    changes: [
      {
        file: `${apply}/schedule.ts`,
        text: 'Math.min(Math.max(askedMs, clockMs), maxTimeMs)',
        instead: 'Math.min(askedMs, maxTimeMs)',
      },
    ],
  },
  {
    name: 'H3-grace',
    rule: '[H3] no lease is released before the grace of a term is over',
    profiles: ['takeover'],
    seeds: 100,
    changes: [
      { file: `${apply}/release.ts`, text: 'if (isInGrace(rows, hold)) return', instead: 'if (false) return' },
      {
        file: `${scheduler}/leases/lease-ends.ts`,
        text: 'return Math.max(lease.timeMs, graceEndsMs);',
        instead: 'return Math.max(lease.timeMs, Math.min(0, graceEndsMs));',
      },
    ],
  },
  {
    name: 'H4-receive-id',
    rule: '[H4] a repeated receive gets the leases that were made for it',
    profiles: ['kills'],
    seeds: 100,
    changes: [
      {
        file: `${scheduler}/delivery/repeats.ts`,
        text: 'const leases = this.#life.leases.ofReceive(group, waiter.key);',
        instead: 'const leases: Lease[] = [];',
      },
    ],
  },
  {
    name: 'H4-holds-are-loaded-first',
    rule: '[H4] a repeated receive waits until the holds of its group are known',
    profiles: ['takeover'],
    seeds: 300,
    changes: [{ file: `${scheduler}/delivery/repeats.ts`, text: 'if (!group.holdsLoaded) {', instead: 'if (false) {' }],
  },
  {
    name: 'H5-ended-row',
    rule: '[H5] a message that was cancelled or stopped leaves a row that says so',
    profiles: ['swarm'],
    seeds: 40,
    changes: [{ file: `${apply}/cancel.ts`, text: '  rows.putEnded(topic, position, end);\n', instead: '' }],
  },
  {
    name: 'H6-median-of-clocks',
    rule: "[H6, H7] the stamp is the median of the voters' clocks, not the leader's",
    profiles: ['clocks'],
    seeds: 60,
    changes: [
      {
        file: `${scheduler}/cluster-time.ts`,
        text: 'offsets[(offsets.length - 1) >> 1]',
        instead: 'offsetMs(self)',
      },
    ],
  },
  {
    name: 'H8-grace-from-a-stamped-entry',
    rule: '[H8] the grace is counted from an entry that has a stamp',
    profiles: ['takeover'],
    seeds: 300,
    changes: [
      {
        file: `${apply}/entry/entry-rows.ts`,
        text: '    this.entryTerm = entry.term;',
        instead: '    this.entryTerm = entry.term;\n    Object.assign(this, { staleClockMs: before.meta.clockMs });',
      },
      {
        file: `${apply}/begin.ts`,
        text: 'rows.clockMs + command.graceMs',
        instead: "Number(Reflect.get(rows, 'staleClockMs')) + command.graceMs",
      },
    ],
  },
  {
    name: 'G1-hold-keeps-the-message',
    rule: '[G1] a group is done with a message when its cursor passed it and it holds it no longer',
    profiles: ['swarm'],
    seeds: 40,
    changes: [
      {
        file: `${apply}/done.ts`,
        text: ' && rows.hold(topic, group.number, position) === undefined',
        instead: '',
      },
    ],
  },
  {
    name: 'V2-sweep',
    rule: '[V2] what a deleted group leaves to nobody is swept',
    profiles: ['swarm'],
    seeds: 100,
    changes: [
      {
        file: `${scheduler}/collect.ts`,
        text: 'const positions = seen.filter(isDone);',
        instead: 'const positions = seen.filter((position) => isDone(position) && false);',
      },
    ],
  },
  {
    name: 'ack-checks-the-token',
    rule: 'a receipt that is no longer current is refused',
    profiles: ['swarm'],
    seeds: 100,
    changes: [
      {
        file: `${apply}/receipt.ts`,
        text: "return hold?.state === 'leased' && hold.token === lease.token;",
        instead: "return hold?.state === 'leased';",
      },
    ],
  },
  {
    name: 'cancel-spares-a-lease',
    rule: 'a message that a consumer has in its hands is not cancelled',
    profiles: ['swarm'],
    seeds: 60,
    changes: [
      {
        file: `${apply}/cancel.ts`,
        text: "  if (leasedUntilMs !== undefined) return { kind: 'leased', leasedUntilMs };\n",
        instead: '',
      },
    ],
  },
  {
    name: 'first-answer-is-kept',
    rule: 'the answer to an idempotency key is kept, with its effects',
    profiles: ['swarm'],
    seeds: 40,
    changes: [
      {
        file: `${apply}/answers.ts`,
        text: '  rows.putAnswer(topic, key, { requestHash, untilMs: rows.clockMs + keepMs, answer });\n',
        instead: '  void [requestHash, keepMs, answer];\n',
      },
    ],
  },
  {
    name: 'answers-count-while-they-stand',
    rule: 'an answer to an idempotency key counts until it is collected, wherever the clock has jumped to',
    profiles: ['clocks'],
    seeds: 150,
    changes: [
      {
        file: `${apply}/answers.ts`,
        text: 'rows.meta.activeVersion < answersStandSince && kept.untilMs <= rows.clockMs',
        instead: 'kept.untilMs <= rows.clockMs',
      },
    ],
  },
  {
    name: 'answers-age-by-marks',
    rule: 'an answer to an idempotency key is not collected because the clock jumped',
    profiles: ['clocks'],
    seeds: 300,
    changes: [
      {
        file: `${scheduler}/collect.ts`,
        text: 'Math.min(view.clockMs, this.#life.ports.answersAgedMs())',
        instead: 'view.clockMs',
      },
    ],
  },
  {
    name: 'client-repeats-with-one-key',
    rule: 'a client repeats a request with the key of its first attempt',
    profiles: ['kills'],
    seeds: 60,
    changes: [
      {
        file: 'packages/client/src/retrying-carrier.ts',
        text: '      request = rule.again(request);',
        instead:
          "      request = rule.again(verb === 'schedule' ? { ...request, idempotencyKey: this.#draw() } : request);",
      },
    ],
  },
  {
    name: 'retry-waits-for-its-time',
    rule: 'a nacked message comes again at its time, and goes from retry to leased once',
    profiles: ['swarm'],
    seeds: 100,
    changes: [
      {
        file: `${apply}/lease.ts`,
        text: "if (hold?.state !== 'retry' || hold.retryAtMs !== row.retryAtMs || hold.retrySeq !== row.retrySeq) continue;",
        instead: 'if (hold === undefined) continue;',
      },
      {
        file: `${scheduler}/changes.ts`,
        text: '    life.leases.remove(group, change.position.seq);\n    group.upcoming.retry(change.position, change.retryAtMs, change.retrySeq);',
        instead:
          '    life.leases.remove(group, change.position.seq);\n    group.upcoming.retry(change.position, change.retryAtMs, change.retrySeq);\n    group.upcoming.retry(change.position, change.retryAtMs, change.retrySeq + 1);',
      },
    ],
  },
  {
    name: 'cursor-follows-the-cursor',
    rule: 'a lease moves the cursor from where it stands, over nothing that it does not name',
    profiles: ['swarm'],
    seeds: 100,
    changes: [
      { file: `${apply}/lease.ts`, text: 'comparePositions(asked.from, cursor) === 0 &&', instead: 'true &&' },
      {
        file: `${scheduler}/upcoming.ts`,
        text: '    this.#lane?.insert(position.fireAtMs, position.seq);',
        instead: '    if (position.seq % 7 !== 0) this.#lane?.insert(position.fireAtMs, position.seq);',
      },
    ],
  },
  {
    name: 'tick',
    rule: 'somebody moves the clock when the next message is due and nothing else happens',
    profiles: ['calm'],
    seeds: 20,
    changes: [
      {
        file: `${scheduler}/delivery/serve.ts`,
        text: '    if (this.#life.proposed.covers(first.timeMs)) return;\n',
        instead: '    if (first !== undefined) return;\n',
      },
    ],
  },
  {
    name: 'built-anew-after-doubt',
    rule: 'a leader that doubted once delivers again when its quorum answers',
    profiles: ['swarm'],
    seeds: 300,
    changes: [
      {
        file: `${server}/watch/leadership.ts`,
        text: "state.kind === 'suspended' && doubts === 0",
        instead: "state.kind === 'suspended' && doubts < 0",
      },
      idleLeaderStays,
    ],
  },
];
