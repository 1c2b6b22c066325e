// The same surface without a socket: requests go straight to the service of a member in this process, through the same
// retrying as over HTTP, since a leader change is news for an embedded member, too.
import {
  type ClientParts,
  createRandomBytes,
  createRetryingCarrier,
  type Duration,
  type NodeCaller,
} from '@holdfast/client';
import type { MemberPorts, Service } from '@holdfast/server';

/** Nothing freezes alone within one process, so a receive may wait for as long as a node allows. */
const sliceMs = 60_000;
/** As many as a node lets wait. They cost no connection, and one that stood in line would be heard up to a slice later. */
const receivePlaces = 10_000;

export interface LocalMember {
  readonly service: Service;
  readonly clock: MemberPorts['clock'];
  /** Why it can not go on; every call ends with it from then on. */
  fatal(): Error | undefined;
  close(): Promise<void>;
}

export interface LocalOptions {
  /** How long a request is repeated before it fails; 5 minutes by default, 9 at most. */
  readonly giveUpAfter?: Duration;
}

export function localParts(member: LocalMember, giveUpAfterMs: number): ClientParts {
  const { clock } = member;
  const randomBytes = createRandomBytes();
  const carrier = createRetryingCarrier({
    nodes: ['this process'],
    caller: localCaller(member),
    clock,
    random: Math.random,
    randomBytes,
    giveUpAfterMs,
    receivePlaces,
  });
  return { carrier, clock, randomBytes, sliceMs };
}

function localCaller(member: LocalMember): NodeCaller {
  return {
    async call(_node, verb, request, signal) {
      const error = member.fatal();
      if (error !== undefined) throw error;
      return member.service.call(verb, request, { signal, forwarded: false });
    },
    close: () => member.close(),
  };
}
