// Guards of the scheduler and of what apply checks of its proposals, and of a disk that fills.
import type { Guard } from './guard.ts';

const apply = 'packages/store/src/apply';
const scheduler = 'packages/scheduler/src';

export const schedulingGuards: readonly Guard[] = [
  {
    name: 'clock-never-goes-back',
    rule: '[H6] the clock is the highest stamp so far, whatever a leader stamps',
    profiles: ['clocks'],
    seeds: 40,
    changes: [
      {
        file: `${apply}/entry/entry-rows.ts`,
        text: 'Math.max(before.meta.clockMs, stampMs ?? 0)',
        instead: 'stampMs ?? before.meta.clockMs',
      },
      {
        file: `${scheduler}/cluster-time.ts`,
        text: 'Math.max(clockMs, Math.floor(clock.monotonicMs() + median))',
        instead: 'Math.floor(clock.monotonicMs() + median)',
      },
    ],
  },
  {
    name: 'learners-are-listened-to',
    rule: '[H6] the clock of whoever gets a vote is known by then, so that time does not stand still for want of it',
    profiles: ['members'],
    seeds: 60,
    changes: [
      {
        file: `${scheduler}/cluster-time.ts`,
        text: 'voters().includes(id) || learners().includes(id)',
        instead: 'voters().includes(id)',
      },
    ],
  },
  {
    name: 'lease-names-what-is-there',
    rule: 'what was cancelled before the lease came is leased to nobody',
    profiles: ['swarm'],
    seeds: 40,
    changes: [
      {
        file: `${apply}/lease.ts`,
        text: '!isBetween(row.position, cursor) || !rows.hasMessage(command.topic, row.position)',
        instead: '!isBetween(row.position, cursor)',
      },
    ],
  },
  {
    name: 'tokens-rise',
    rule: 'every lease of a message has a token of its own, higher than those before',
    profiles: ['swarm'],
    seeds: 40,
    changes: [
      {
        file: `${apply}/lease.ts`,
        text: 'const token = rows.nextSeq();',
        instead: 'const token = before?.token ?? rows.nextSeq();',
      },
    ],
  },
  {
    name: 'extension-is-kept',
    rule: 'a lease that was extended lasts until the time that its consumer was told',
    profiles: ['swarm'],
    seeds: 40,
    changes: [
      {
        file: `${apply}/extend.ts`,
        text: '    rows.changeHold(topic, group, hold, { ...hold, untilMs });\n',
        instead: '',
      },
      {
        file: `${apply}/extend.ts`,
        text: "    rows.changes.push({ kind: 'extended', topic, group, position, token, untilMs });\n",
        instead: '    void [position, token];\n',
      },
    ],
  },
  {
    name: 'V4-sweep-is-checked',
    rule: '[V4] apply lets go of a swept message only when no group has anything left to do for it',
    profiles: ['swarm'],
    seeds: 40,
    changes: [
      {
        file: `${apply}/done.ts`,
        text: 'if (groups.length === 0 || !groups.every((group) => isDone(rows, topic, group, position))) return false;',
        instead: 'if (groups.length === 0) return false;',
      },
    ],
  },
  {
    name: 'release-after-the-end',
    rule: 'a lease that was extended meanwhile is not released',
    profiles: ['swarm'],
    seeds: 60,
    changes: [
      {
        file: `${apply}/release.ts`,
        text: 'if (!isCurrent(hold, lease) || rows.clockMs < hold.untilMs) {',
        instead: 'if (!isCurrent(hold, lease)) {',
      },
      {
        file: `${scheduler}/changes.ts`,
        text: 'if (group !== undefined) life.leases.extend(group, change.position.seq, change.untilMs);',
        instead: 'void group;',
      },
    ],
  },
  {
    name: 'counts-follow-the-messages',
    rule: 'what leaves a lane is counted by every group that was done with it (conservation)',
    profiles: ['swarm'],
    seeds: 40,
    changes: [
      {
        file: `${apply}/cancel.ts`,
        text: '      group.gone += 1;',
        instead: '      void group;',
      },
    ],
  },
  {
    name: 'leases-are-rebuilt',
    rule: 'a new leader finds the leases of the ones before, and ends them at their time',
    profiles: ['swarm'],
    seeds: 40,
    changes: [
      {
        file: `${scheduler}/rebuild.ts`,
        text: "if (hold.state === 'leased' && !touched.has(hold.position.seq)) leases.add(group, hold, view.clockMs);",
        instead: 'void [hold, touched, leases];',
      },
    ],
  },
  {
    name: 'deleted-groups-go',
    rule: 'what a deleted group holds is collected, and then the group',
    profiles: ['swarm'],
    seeds: 40,
    changes: [
      {
        file: `${scheduler}/collect.ts`,
        text: ".find((group) => group.state === 'deleting');",
        instead: '.find(() => false);',
      },
    ],
  },
];
