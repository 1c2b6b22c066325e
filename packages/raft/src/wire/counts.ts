// What the transport dropped, refused or lost, counted by reason: the only trace that a stranger leaves.
import type { BreakReason } from './frame.ts';
import { type RefusalReason, refusals } from './handshake.ts';
import type { TlsFault } from './security/certificate.ts';

/** A connection was ended because of what its other end said, or did not say. */
export type FaultName =
  | `broken.${BreakReason}`
  | 'broken.handshake'
  | 'broken.message'
  | 'broken.order'
  | `refused.${RefusalReason}`
  | `tls.${TlsFault}`
  | 'unanswered'
  | 'listen'
  | 'strangers.tooMany'
  | 'strangers.tooSlow';

export type CountName =
  | FaultName
  | 'refused.process'
  | 'refusedByPeer'
  | 'dropped.notConnected'
  | 'dropped.queueFull'
  | 'dropped.tooLarge'
  | 'dropped.version'
  | 'connects'
  | 'lost.reset'
  | 'lost.silent'
  | 'lost.dead';

const sentences: ReadonlyMap<string, string> = new Map([
  ...Object.entries(refusals).map(([reason, says]) => [`refused.${reason}`, says] as const),
  ['listen', 'its address for the other members can not be listened on; it tries again'],
  ['unanswered', 'it ended the connection without a word, as a member does with one that it does not believe'],
]);

/** For the log of who operates the member. It may come as often as strangers like: log the first, and then now and then. */
export interface PeerFault {
  readonly reason: FaultName;
  /** One sentence, where the reason does not say it already. */
  readonly says: string | undefined;
  /** The address that connected, or the member that was connected to. */
  readonly from: string;
}

export class Counts {
  readonly #counts = new Map<string, number>();
  readonly #onFault: (fault: PeerFault) => void;

  constructor(onFault: (fault: PeerFault) => void = () => undefined) {
    this.#onFault = onFault;
  }

  fault(reason: FaultName, from: string): void {
    this.count(reason);
    this.#onFault({ reason, says: sentences.get(reason), from });
  }

  count(name: CountName): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  get all(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}
