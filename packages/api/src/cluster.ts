// Shapes of the cluster as one node sees it.
import { z } from 'zod';

export const clusterSeen = z.strictObject({
  id: z.string(),
  incarnation: z.string().describe('What its directory drew when it was made; the list of members has it, too.'),
  clusterId: z.string().optional(),
  waiting: z
    .strictObject({ incarnation: z.string(), peer: z.string(), api: z.string() })
    .optional()
    .describe('It belongs to no cluster and waits to be taken in; what has to be said to a member for it.'),
  role: z.enum(['follower', 'preCandidate', 'candidate', 'leader']),
  /** Leads, serves, and is not in doubt. */
  serving: z.boolean(),
  term: z.int(),
  leader: z.string().optional(),
  commit: z.int(),
  applied: z.int(),
  stateHash: z.string(),
  clockMs: z.int(),
  /** Said by a leader that serves. */
  acceptsNew: z
    .boolean()
    .optional()
    .describe('Whether it takes new messages: false while disks are low (HF_DISK_LOW).'),
  members: z.array(
    z.strictObject({
      id: z.string(),
      api: z.string().describe('Where its API answers.'),
      /** As the leader sees it; absent elsewhere. */
      match: z.int().optional(),
      applied: z.int().optional(),
      skewMs: z.int().optional(),
      reachable: z.boolean().optional(),
      /** Each node knows its own, a leader those of all. */
      disk: z
        .strictObject({ freeBytes: z.int(), low: z.boolean().describe('It has less room than --min-free-bytes.') })
        .optional(),
    }),
  ),
});
