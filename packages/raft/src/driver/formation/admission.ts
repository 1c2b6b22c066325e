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
  readonly bootId: string;
  /** Why this process may not take part. */
  readonly refusal: Refusal | undefined;
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
    const known = this.#peers.get(peer);
    return known !== undefined && known.refusal === undefined;
  }

  check(hello: Hello, status: CoreStatus): Verdict {
    const known = this.#peers.get(hello.id);
    if (known?.replaced.includes(hello.bootId) === true) return { kind: 'late' };
    const isNewProcess = known?.bootId !== hello.bootId;
    const refusal = this.#refusal(hello) ?? (isNewProcess ? cutLog(hello, status) : knownCut(known));
    const replaced = known?.replaced ?? [];
    if (known !== undefined && isNewProcess) replaced.push(known.bootId);
    if (replaced.length > maxReplaced) replaced.shift();
    this.#peers.set(hello.id, { bootId: hello.bootId, refusal, replaced });
    if (refusal !== undefined) return { kind: 'refused', refusal };
    return { kind: 'admitted', restarted: known !== undefined && isNewProcess };
  }

  #refusal(hello: Hello): Refusal | undefined {
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
    return undefined;
  }
}

/** Only a new process is judged by what the one before it had said: its own acknowledgements overtake its handshakes. */
function cutLog({ id, lastDurableIndex }: Hello, status: CoreStatus): Refusal | undefined {
  const acknowledged = Math.min(status.followers.get(id)?.match ?? 0, status.commit);
  if (acknowledged <= lastDurableIndex) return undefined;
  return refuse('HF_LOG_CUT', `${id} had acknowledged index ${acknowledged}, and now ends at ${lastDurableIndex}.`);
}

function knownCut(known: Peer | undefined): Refusal | undefined {
  return known?.refusal?.code === 'HF_LOG_CUT' ? known.refusal : undefined;
}

function refuse(code: Refusal['code'], detail: string): Refusal {
  return { kind: 'refusal', code, detail };
}
