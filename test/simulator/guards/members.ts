// Guards of raft: members that come and go while a group runs.
import type { Guard } from './guard.ts';

const core = 'packages/raft/src/core';

export const memberGuards: readonly Guard[] = [
  {
    name: 'change-counts-when-appended',
    rule: 'a change is in force from the moment on in which it is in the log',
    profiles: ['members'],
    seeds: 60,
    changes: [
      { file: `${core}/follower.ts`, text: '    maybeEnforce(raft, entry);\n', instead: '    void maybeEnforce;\n' },
    ],
  },
];
