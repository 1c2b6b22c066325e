import type { Check } from '../evidence.ts';

/** From the end of all faults until a leader serves, and knows which disks have room. */
const recoveryMs = 5_500;
/** A leader whose clock is wrong may hand over at any time: a refusal that was not waited out for so long shows nothing. */
const patienceMs = 1_000;

/** A refusal (no leader, a full disk, too much at once) ends with what was the reason for it. */
export const whatIsAskedIsTakenAgain: Check = {
  says: 'new messages are taken again once the faults are over',
  find({ history, mendedMs }) {
    return [...history.scheduled.values()]
      .filter(({ outcome }) => outcome === 'refused')
      .filter(({ invokedMs, endedMs }) => invokedMs > mendedMs + recoveryMs && endedMs - invokedMs >= patienceMs)
      .map(({ tag, invokedMs }) => `the schedule of ${tag} at ${invokedMs.toFixed(1)} was refused`);
  },
};
