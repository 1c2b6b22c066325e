import { judgeAll } from '../../../linearizable/objects.ts';
import type { Check } from '../evidence.ts';
import { keyObjects, messageObjects } from '../message-objects.ts';

/** All that clients were told of one message, in one order that time allows (test/linearizable). */
export const verdictsAreLinearizable: Check = {
  says: 'what clients were told of a message has an order in which it could have happened',
  find(evidence) {
    return judgeAll([...messageObjects(evidence), ...keyObjects(evidence.history)]).faults;
  },
};
