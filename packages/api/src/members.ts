// Shapes of changing who belongs to the cluster.
import { z } from 'zod';

const memberName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be the name of a member');
const incarnation = z.string().min(1).max(64);
const hostAndPort = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/;
/** Names that Kubernetes gives to members of a set are longer than 100. */
const addressCharacters = 200;
/** Of peer and api together: raft keeps 256 characters of address for a member, of which their JSON takes 20. */
const addressesCharacters = 236;
/** Every member would dial an impossible one for as long as the entry stands. */
const hasPossiblePort = (text: string): boolean => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535;

/** A node that waits to be taken in, as its own /v1/cluster describes it. */
export const memberToAdd = z
  .strictObject({
    id: memberName,
    incarnation: incarnation.describe('What its directory drew when it was made.'),
    peer: z
      .string()
      .max(addressCharacters)
      .regex(hostAndPort, { error: 'must be host:port', abort: true })
      .refine(hasPossiblePort, 'must be host:port, with a port up to 65535')
      .describe('Where the other members reach it.'),
    api: z
      .string()
      .max(addressCharacters)
      .regex(/^http:\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, {
        error: 'must be http://host:port',
        abort: true,
      })
      .refine((api) => URL.canParse(api), 'must be http://host:port, with a valid host and a port up to 65535')
      .describe('Where its API answers.'),
  })
  .refine(({ peer, api }) => peer.length + api.length <= addressesCharacters, {
    path: ['api'],
    error: `must be ${addressesCharacters} characters at most, together with peer`,
  });

export const memberId = z.strictObject({ id: memberName });

export const removeQuery = z.strictObject({
  incarnation: incarnation.optional().describe('Only where the member is this directory.'),
  lost: incarnation.optional().describe('Only where the member is this directory, and is not reachable.'),
});

export const memberAdded = z.strictObject({
  kind: z.enum(['added', 'already']),
  role: z.enum(['learner', 'voter']).describe('A learner gets its vote from the leader, once it has caught up.'),
});

export const memberRemoved = z.strictObject({ kind: z.enum(['removed', 'absent']) });

export const membersSeen = z.strictObject({
  leader: z.string(),
  /** The newest list is kept by a majority; until then it takes no further change. */
  settled: z.boolean(),
  members: z.array(
    z.strictObject({
      id: z.string(),
      incarnation: z.string(),
      peer: z.string().optional(),
      api: z.string().optional(),
      role: z.enum(['learner', 'voter']),
      reachable: z.boolean(),
      match: z.int().optional().describe('The last entry that it is known to have.'),
    }),
  ),
});

export const transferRequest = z.strictObject({ to: memberName.optional() });
export const transferStarted = z.strictObject({ kind: z.literal('started'), to: z.string() });
