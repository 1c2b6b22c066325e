// Who may take part. Asked for every handshake; a member that may not is told why, and stops.
import type { NodeId } from '../../core/message.ts';
import type { CoreStatus } from '../../core/types.ts';
import type { LogStore } from '../../log/log-store.ts';
import type { Hello } from '../../wire/transport.ts';
import type { Refusal } from './control.ts';

export type Verdict =
  /** `restarted`: it was admitted before, and this is a new process. */
  | { readonly kind: 'admitted'; readonly restarted: boolean }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** A handshake of a process that has been replaced since: its connection is dead, only its bytes are late. */
  | { readonly kind: 'late' };

interface Peer {
  bootId: string;
  admitted: boolean;
  /** Boot ids that were replaced, the newest last. */
  readonly replaced: string[];
}

const maxReplaced = 16;

export class Admission {
  readonly #log: LogStore;
  readonly #peers = new Map<NodeId, Peer>();

  constructor(log: LogStore) {
    this.#log = log;
  }

  isAdmitted(peer: NodeId): boolean {
    return this.#peers.get(peer)?.admitted === true;
  }

  check(hello: Hello, status: CoreStatus): Verdict {
    const known = this.#peers.get(hello.id);
    if (known?.replaced.includes(hello.bootId) === true) return { kind: 'late' };
    const isNewProcess = known?.bootId !== hello.bootId;
    const refusal = this.#refusal(hello, isNewProcess ? status : undefined);
    const replaced = known?.replaced ?? [];
    if (known !== undefined && isNewProcess) replaced.push(known.bootId);
    if (replaced.length > maxReplaced) replaced.shift();
    this.#peers.set(hello.id, { bootId: hello.bootId, admitted: refusal === undefined, replaced });
    if (refusal !== undefined) return { kind: 'refused', refusal };
    return { kind: 'admitted', restarted: known !== undefined && isNewProcess };
  }

  /** @param status given for a new process: what this leader knows of it was said by the process before it */
  #refusal(hello: Hello, status: CoreStatus | undefined): Refusal | undefined {
    const { members, founding, id } = this.#log.identity;
    if ([...hello.members].sort().join() !== members.join()) {
      return refuse(
        'HF_WRONG_CLUSTER',
        `${hello.id} names the members ${hello.members.join()}, ${id} names ${members.join()}.`,
      );
    }
    if (founding?.confirmed === true) {
      const { clusterId, incarnations } = founding.record;
      if (hello.clusterId !== undefined && hello.clusterId !== clusterId) {
        return refuse('HF_WRONG_CLUSTER', `${hello.id} was founded as ${hello.clusterId}, ${id} as ${clusterId}.`);
      }
      if (hello.incarnation !== incarnations[hello.id]) {
        return refuse(
          'HF_WIPED_MEMBER',
          `${id} knows ${hello.id} as ${incarnations[hello.id] ?? 'nobody'}, not as ${hello.incarnation}.`,
        );
      }
    }
    const acknowledged = Math.min(status?.followers.get(hello.id)?.match ?? 0, status?.commit ?? 0);
    if (acknowledged > hello.lastDurableIndex) {
      return refuse(
        'HF_LOG_CUT',
        `${hello.id} had acknowledged index ${acknowledged}, and now ends at ${hello.lastDurableIndex}.`,
      );
    }
    return undefined;
  }
}

function refuse(code: Refusal['code'], detail: string): Refusal {
  return { kind: 'refusal', code, detail };
}
