// States on their way from a leader to those that need them: what an owner does with `snapshotsFor`.
import type { NodeId } from '../../src/core/message.ts';
import type { Member, TestState } from './harness.ts';

interface Parcel {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly state: TestState;
}

export class Parcels {
  delivered = 0;
  #parcels: Parcel[] = [];

  /** Packs what this member's core has asked for. */
  collect(member: Member): void {
    for (const to of member.snapshotsFor.splice(0)) {
      this.#parcels.push({ from: member.id, to, state: member.state() });
    }
  }

  /** One parcel arrives, perhaps long after it was sent and not for the first time; or its sender hears that it did. */
  carryOne(members: ReadonlyMap<NodeId, Member>, dead: ReadonlySet<NodeId>, random: () => number): void {
    const parcel = this.#parcels[Math.floor(random() * this.#parcels.length)];
    if (parcel === undefined || dead.has(parcel.to) || dead.has(parcel.from)) return;
    this.#carry(members, parcel);
    if (this.#parcels.length > 8) this.#parcels.shift();
  }

  carryAll(members: ReadonlyMap<NodeId, Member>): void {
    for (const parcel of this.#parcels) {
      this.#carry(members, parcel);
      members.get(parcel.to)?.settle();
      this.#carry(members, parcel);
    }
    this.#parcels = [];
  }

  #carry(members: ReadonlyMap<NodeId, Member>, parcel: Parcel): void {
    const { from, to, state } = parcel;
    const index = state.entries.length;
    const member = members.get(to);
    if (index === 0 || member === undefined) return;
    if (member.applied.length >= index) members.get(from)?.core.snapshotInstalled(to, index);
    else if (member.restore(state) === 'accepted') this.delivered += 1;
  }
}
