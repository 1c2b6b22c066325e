// Who may take part. Asked for every handshake; a process that may not is told why, and stops.
//
// Two processes can come under one name: a second one by mistake, with an empty directory or another one. What is
// refused changes nothing for the one that is admitted: neither what is known of it, nor that it is heard.
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

/** The process that was admitted last. */
interface Peer {
  readonly bootId: string;
  /** Boot ids that were replaced, the newest last. */
  readonly replaced: string[];
}

const maxReplaced = 16;

export class Admission {
  readonly #log: LogStore;
  readonly #peers = new Map<NodeId, Peer>();
  /** The last process of each member that was refused for its log. */
  readonly #cut = new Map<NodeId, Refusal>();
  /** Members whose last handshake was refused. */
  readonly #silenced = new Set<NodeId>();

  constructor(log: LogStore) {
    this.#log = log;
  }

  isAdmitted(peer: NodeId): boolean {
    return this.#peers.has(peer) && !this.#silenced.has(peer);
  }

  /** Why this process may not take part; undefined when it may. Changes nothing for whoever is admitted. */
  refusal(hello: Hello, status: CoreStatus): Refusal | undefined {
    const refusal = this.#stranger(hello) ?? this.wiped(hello.id, hello);
    if (refusal !== undefined) return refusal;
    const known = this.#cut.get(hello.id);
    if (known?.bootId === hello.bootId) return known;
    // Only a new process is judged by what the one before it had said: its own acknowledgements overtake its handshakes.
    if (this.#peers.get(hello.id)?.bootId === hello.bootId) return undefined;
    const cut = cutLog(hello, status);
    if (cut !== undefined) this.#cut.set(hello.id, cut);
    return cut;
  }

  /** The process speaks from now on, or is refused: then its member is not heard until one comes that is admitted. */
  check(hello: Hello, status: CoreStatus): Verdict {
    const known = this.#peers.get(hello.id);
    if (known?.replaced.includes(hello.bootId) === true) return { kind: 'late' };
    const refusal = this.refusal(hello, status);
    if (refusal !== undefined) {
      this.#silenced.add(hello.id);
      return { kind: 'refused', refusal };
    }
    this.#silenced.delete(hello.id);
    const restarted = known !== undefined && known.bootId !== hello.bootId;
    const replaced = known?.replaced ?? [];
    if (restarted) replaced.push(known.bootId);
    if (replaced.length > maxReplaced) replaced.shift();
    this.#peers.set(hello.id, { bootId: hello.bootId, replaced });
    return { kind: 'admitted', restarted };
  }

  /** Is it another directory than the one that was founded under this name? `bootId`: of one process, if known. */
  wiped(from: NodeId, it: { readonly incarnation: string; readonly bootId?: string }): Refusal | undefined {
    const { founding, id } = this.#log.identity;
    if (founding?.confirmed !== true) return undefined;
    const hello = { id: from, incarnation: it.incarnation, bootId: it.bootId };
    const { incarnations } = founding.record;
    if (hello.incarnation !== incarnations[hello.id]) {
      const known = incarnations[from] ?? 'nobody';
      return refuse(hello, 'HF_WIPED_MEMBER', `${id} knows ${from} as ${known}, not as ${hello.incarnation}.`);
    }
    return undefined;
  }

  #stranger(hello: Hello): Refusal | undefined {
    const { members, founding, id } = this.#log.identity;
    if ([...hello.members].sort().join() !== members.join()) {
      return refuse(
        hello,
        'HF_WRONG_CLUSTER',
        `${hello.id} names the members ${hello.members.join()}, ${id} names ${members.join()}.`,
      );
    }
    if (founding?.confirmed !== true || hello.clusterId === undefined) return undefined;
    const { clusterId } = founding.record;
    if (hello.clusterId === clusterId) return undefined;
    return refuse(hello, 'HF_WRONG_CLUSTER', `${hello.id} was founded as ${hello.clusterId}, ${id} as ${clusterId}.`);
  }
}

function cutLog(hello: Hello, status: CoreStatus): Refusal | undefined {
  const { id, lastDurableIndex } = hello;
  const acknowledged = Math.min(status.followers.get(id)?.match ?? 0, status.commit);
  if (acknowledged <= lastDurableIndex) return undefined;
  const detail = `${id} had acknowledged index ${acknowledged}, and now ends at ${lastDurableIndex}.`;
  return refuse(hello, 'HF_LOG_CUT', detail);
}

type Process = Pick<Refusal, 'incarnation' | 'bootId'>;

function refuse({ incarnation, bootId }: Process, code: Refusal['code'], detail: string): Refusal {
  return { kind: 'refusal', incarnation, bootId, code, detail };
}
