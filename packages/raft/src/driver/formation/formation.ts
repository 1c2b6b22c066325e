// Formation is unanimous: nobody campaigns or votes before every listed member has stored the same founding record.
// Otherwise a member whose directory was wiped before it ever answered could vote twice in one term.
//
//   1. Each directory draws an incarnation when it is made.
//   2. The coordinator, whose name sorts first, hears the incarnation of every member, draws a cluster id and stores
//      the record of both, unconfirmed.
//   3. Everyone else stores the coordinator's record if its own incarnation is in it. An unconfirmed record may be
//      replaced: some directory was wiped, and the coordinator has drawn anew.
//   4. Who has heard from every member that it stores exactly the record that is stored here marks it as confirmed,
//      for ever; and whoever hears a confirmed record with its own incarnation in it does so, too.
//
// Two records can not both be confirmed by a majority, since a member confirms one, once.
// Everybody repeats its state until it is confirmed, and answers whoever is not, so any message may be lost.
import { strict as assert } from 'node:assert';
import type { NodeId } from '../../core/message.ts';
import { drawToken, type Founding, type FoundingRecord, sameRecord } from '../../log/founding.ts';
import { isWaiting } from '../../log/identity.ts';
import type { LogStore } from '../../log/log-store.ts';
import { driverBounds } from '../bounds.ts';
import type { Clock } from '../clock.ts';
import type { FormationState } from './control.ts';

export interface FormationOptions {
  readonly log: LogStore;
  readonly clock: Clock;
  readonly random: () => number;
  readonly send: (to: NodeId, state: FormationState) => void;
  /** The record is confirmed and on disk. */
  readonly onFounded: () => void;
  readonly onFailed: (error: unknown) => void;
}

export class Formation {
  readonly #options: FormationOptions;
  readonly #others: readonly NodeId[];
  readonly #heard = new Map<NodeId, FormationState>();
  #busy = false;
  #stopped = false;
  #cancelRepeat: (() => void) | undefined;

  constructor(options: FormationOptions) {
    this.#options = options;
    const { id, members } = options.log.identity;
    this.#others = members.filter((member) => member !== id);
  }

  get isFounded(): boolean {
    return this.#options.log.identity.founding?.confirmed === true;
  }

  start(): void {
    // It was stopped while a leader took it in; or taken in while its transport was starting, and then this is the second call.
    if (this.#stopped) return;
    if (this.isFounded) {
      this.stop();
      return this.#options.onFounded();
    }
    // It founds nothing: a leader will tell it who the members are.
    if (isWaiting(this.#options.log.identity)) return;
    this.#repeat();
    void this.#advance();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRepeat?.();
  }

  /** Tells one member where this one stands. */
  tell(to: NodeId): void {
    const { incarnation, founding } = this.#options.log.identity;
    const confirmed = founding?.confirmed === true;
    this.#options.send(to, { kind: 'formation', incarnation, record: founding?.record, confirmed });
  }

  heard(from: NodeId, state: FormationState): void {
    if (this.isFounded) {
      if (!state.confirmed) this.tell(from);
      return;
    }
    this.#heard.set(from, state);
    void this.#advance();
  }

  #repeat(): void {
    if (this.#stopped || this.isFounded) return;
    for (const peer of this.#others) this.tell(peer);
    this.#cancelRepeat = this.#options.clock.after(driverBounds.formationRepeatMs, () => this.#repeat());
  }

  async #advance(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#next(); next !== undefined && !this.#stopped; next = this.#next()) {
        await this.#options.log.writeFounding(next);
        for (const peer of this.#others) this.tell(peer);
      }
      if (this.isFounded && !this.#stopped) {
        this.stop();
        this.#options.onFounded();
      }
    } catch (error) {
      this.#options.onFailed(error);
    } finally {
      this.#busy = false;
    }
  }

  /** What is to be stored next; undefined when that depends on what others say. */
  #next(): Founding | undefined {
    const { founding } = this.#options.log.identity;
    if (founding?.confirmed === true) return undefined;
    const confirmed = [...this.#heard.values()].find((state) => state.confirmed && this.#lists(state.record));
    if (confirmed?.record !== undefined) return { record: confirmed.record, confirmed: true };
    const record = this.#coordinates() ? this.#coordinated() : this.#offered();
    if (record === undefined) return undefined;
    if (founding === undefined || !sameRecord(founding.record, record)) return { record, confirmed: false };
    return this.#others.every((peer) => this.#stores(peer, record)) ? { record, confirmed: true } : undefined;
  }

  #coordinates(): boolean {
    const { id, members } = this.#options.log.identity;
    return id === members[0];
  }

  /** The coordinator's record: the stored one as long as it names the incarnations that were heard. */
  #coordinated(): FoundingRecord | undefined {
    const { id, incarnation, founding } = this.#options.log.identity;
    const incarnations: Record<NodeId, string> = { [id]: incarnation };
    for (const peer of this.#others) {
      const state = this.#heard.get(peer);
      // After a restart the stored record stands until everyone has been heard.
      if (state === undefined) return founding?.record;
      incarnations[peer] = state.incarnation;
    }
    const stored = founding?.record;
    if (stored !== undefined && sameRecord(stored, { clusterId: stored.clusterId, incarnations })) return stored;
    return { clusterId: drawToken(this.#options.random), incarnations };
  }

  /** The coordinator's offer if it is for this directory, else what is stored. */
  #offered(): FoundingRecord | undefined {
    const { members, founding } = this.#options.log.identity;
    const [coordinator] = members;
    assert(coordinator !== undefined);
    const offer = this.#heard.get(coordinator)?.record;
    return offer !== undefined && this.#lists(offer) ? offer : founding?.record;
  }

  /** Is the record for exactly these members, and for this directory? */
  #lists(record: FoundingRecord | undefined): boolean {
    const { id, members, incarnation } = this.#options.log.identity;
    const listed = Object.keys(record?.incarnations ?? {});
    return (
      listed.length === members.length &&
      members.every((member) => listed.includes(member)) &&
      record?.incarnations[id] === incarnation
    );
  }

  #stores(peer: NodeId, record: FoundingRecord): boolean {
    const state = this.#heard.get(peer);
    return (
      state?.record !== undefined && sameRecord(state.record, record) && state.incarnation === record.incarnations[peer]
    );
  }
}
