// A member of the first build in the world of the present one. What bytes say between two builds, values say here: what the
// first one does not know is left out on the way to it, and has its default on the way from it.

import { HoldfastError, fromProblem as presentFromProblem, toProblem as presentToProblem } from '@holdfast/api';
import type { Hello, Message, MessageBody, Transport, TransportEvents } from '@holdfast/raft';
import type { Member, MemberConfig, MemberPorts } from '@holdfast/server';
import { createMember, fromProblem, toProblem } from '#first-build';

/** Kinds that its protocol has. */
const known: ReadonlySet<MessageBody['kind']> = new Set([
  'preVoteRequest',
  'voteRequest',
  'preVoteResponse',
  'voteResponse',
  'appendRequest',
  'appendResponse',
  'heartbeat',
  'heartbeatResponse',
]);

export async function createFirstMember(config: MemberConfig, ports: MemberPorts): Promise<Member> {
  const member = await createMember(config, {
    ...ports,
    transport: oldTransport(ports.transport),
    forward: async (to, verb, request, options) => {
      try {
        return await ports.forward(to, verb, request, options);
      } catch (error) {
        const told = error instanceof HoldfastError ? error : new HoldfastError('HF_INTERNAL', {}, { cause: error });
        const lost = presentToProblem(new HoldfastError('HF_OUTCOME_UNKNOWN'));
        throw fromProblem(presentToProblem(told)) ?? fromProblem(lost);
      }
    },
  });
  return {
    start: () => member.start(),
    stop: () => member.stop(),
    status: () => ({ ...member.status(), activeVersion: 1 }),
    service: {
      call: async (verb, request, options) => {
        try {
          return await member.service.call(verb, request, options);
        } catch (error) {
          throw presentFromProblem(toProblem(error)) ?? error;
        }
      },
    },
  };
}

function oldTransport(transport: Transport): Transport {
  return {
    start: (events, hello) => transport.start(heardBy(events), () => ({ ...hello(), versions: [1] })),
    send: (message) => transport.send(completed(message)),
    sendControl: (to, bytes) => transport.sendControl(to, bytes),
    sendBulk: () => undefined,
    setPeers: () => undefined,
    close: () => transport.close(),
  };
}

const heardBy = (events: TransportEvents): TransportEvents => ({
  onMessage: (message, sample) => {
    if (known.has(message.kind)) events.onMessage(message, sample);
  },
  onControl: (from, bytes) => events.onControl(from, bytes),
  onBulk: () => undefined,
  refuses: (hello) => events.refuses(hello) ?? tooNew(hello),
  onPeerUp: (hello) => events.onPeerUp(hello),
  onPeerLost: (peer, evidence) => events.onPeerLost(peer, evidence),
  onActivity: (peer) => events.onActivity(peer),
});

/** Its listener takes nobody who does not speak version 1. */
const tooNew = ({ versions }: Hello): Uint8Array | undefined =>
  versions.includes(1) ? undefined : Buffer.from('{"kind":"stranger"}');

/** As a decoder of the present build reads what version 1 does not say. */
function completed(message: Message): Message {
  if (message.kind === 'preVoteRequest' || message.kind === 'voteRequest') return { ...message, transfer: false };
  if (message.kind === 'heartbeat' || message.kind === 'heartbeatResponse') return { ...message, round: 0 };
  return message;
}
