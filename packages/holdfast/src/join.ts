// A member of a cluster in this process, with its ports; `holdfast start` is the same without a program around it.
import { createStore, giveUpAfterMsOf, type HoldfastStore } from '@holdfast/client';
import {
  createLog,
  type MemberLog,
  type MemberStatus,
  type NodeConfigInput,
  parseConfig,
  startNode,
  systemClock,
} from '@holdfast/server';
import { type LocalMember, type LocalOptions, localParts } from './local-carrier.ts';

export interface JoinOptions extends LocalOptions, NodeConfigInput {
  /** Where the node's log goes: JSON lines on standard output when `logLevel` is given, nowhere when neither is. */
  readonly log?: MemberLog;
  /**
   * The member can not go on (a failed disk, a damaged directory): every call ends with the same error, or with an
   * OutcomeUnknownError that it caused. Called once.
   */
  readonly onFatal?: (error: Error) => void;
}

export interface MemberStore extends HoldfastStore {
  readonly id: string;
  /** Where its API answers; http://host:port. */
  readonly api: string;
  status(): MemberStatus;
}

/**
 * Starts a member of a cluster; docs/configuration.md lists the settings. It serves as soon as a majority of the members
 * runs: until then calls wait. Closing the store stops the member.
 *
 * @example
 * const peers = 'n1=127.0.0.1:7501/127.0.0.1:7401,n2=127.0.0.1:7502/127.0.0.1:7402,n3=127.0.0.1:7503/127.0.0.1:7403';
 * const dataDir = './data/n1';
 * await Holdfast.join({ id: 'n1', dataDir, peers, listen: '127.0.0.1:7401', peerListen: '127.0.0.1:7501' });
 *
 * @throws StartError, RaftError, RangeError for a `giveUpAfter` that is 0 or too long: it did not start, and nothing of it is left
 */
export async function join(options: JoinOptions): Promise<MemberStore> {
  const { giveUpAfter, log, onFatal, ...input } = options;
  const giveUpAfterMs = giveUpAfterMsOf(giveUpAfter);
  const config = parseConfig(input);
  let fatal: Error | undefined;
  const node = await startNode(config, {
    log: log ?? createLog({ id: config.id, level: input.logLevel ?? 'silent', pretty: config.pretty }),
    onFatal(error) {
      fatal = error;
      onFatal?.(error);
    },
  });
  const member: LocalMember = {
    // Asked for at each call: a member that comes back as another one has another service.
    service: { call: (verb, request, context) => node.service.call(verb, request, context) },
    clock: systemClock,
    fatal: () => fatal,
    close: () => node.stop(),
  };
  const store = createStore(localParts(member, giveUpAfterMs));
  return { ...store, id: node.id, api: node.api, status: () => node.status() };
}
