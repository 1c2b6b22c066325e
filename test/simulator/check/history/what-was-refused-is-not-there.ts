import type { Check } from '../evidence.ts';

/** An error that says `applied: no` is a promise like any other. */
export const whatWasRefusedIsNotThere: Check = {
  says: 'what was refused was not applied',
  find({ history }) {
    return history.delivered.flatMap(({ tag, group, atMs }) =>
      history.scheduled.get(tag)?.outcome === 'refused'
        ? [`the schedule of ${tag} was refused, and ${group} got it at ${atMs.toFixed(1)}`]
        : [],
    );
  },
};
