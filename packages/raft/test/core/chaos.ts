// A cluster under faults, decided by a seed, and the judge of it. The judge looks at disks and at what was applied, not
// at what the cores believe.
import type { MembershipChange } from '../../src/core/core.ts';
import type { Entry, Message, NodeId } from '../../src/core/message.ts';
import { command, Member, memberOf, seededRandom, textOf } from './harness.ts';
import { Parcels } from './parcels.ts';
import { Reads } from './reads.ts';

const sameEntry = (a: Entry | undefined, b: Entry | undefined): boolean =>
  a !== undefined && b !== undefined && a.index === b.index && a.term === b.term && textOf(a) === textOf(b);

export class Chaos {
  readonly members = new Map<NodeId, Member>();
  /** Who led which term: never two. */
  readonly leaders = new Map<number, NodeId>();
  /** What any node applied, by index - 1: never changed, never with a gap. */
  readonly committed: Entry[] = [];
  step = 0;
  readonly #random: () => number;
  readonly #network: Message[] = [];
  readonly #parcels = new Parcels();
  readonly reads = new Reads();
  readonly #dead = new Set<NodeId>();
  readonly #cut = new Set<string>();
  #proposals = 0;
  /** How bad it gets differs from seed to seed: some faults only show where others are rare. */
  readonly #odds: {
    readonly crash: number;
    readonly write: number;
    readonly reorder: number;
    readonly lose: number;
    readonly compact: number;
  };

  readonly #changes: number;
  /** Changes of the members that were appended. */
  changed = 0;

  /** @param spares nodes that may become members; then members also leave */
  constructor(size: number, seed: number, spares = 0) {
    const random = seededRandom(seed * 31 + size);
    this.#random = random;
    const pick = <Odds>(first: Odds, ...rest: Odds[]): Odds =>
      rest[Math.floor(random() * (rest.length + 1)) - 1] ?? first;
    this.#odds = {
      crash: pick(0, 0.01, 0.03),
      write: pick(0.1, 0.4, 0.9),
      reorder: pick(0, 0.3, 0.7),
      lose: pick(0, 0.05, 0.2),
      compact: pick(0, 0.02, 0.2),
    };
    const voters = Array.from({ length: size }, (_, at) => `n${at + 1}`);
    const config = { random, maxAppendBytes: pick(1, 64), ...pick({}, { electionMinTicks: 3, electionMaxTicks: 5 }) };
    for (const id of voters) this.members.set(id, new Member(id, voters, config));
    for (let spare = 1; spare <= spares; spare += 1) this.members.set(`s${spare}`, new Member(`s${spare}`, [], config));
    this.#changes = spares === 0 ? 0 : pick(0.02, 0.1, 0.3);
  }

  /** States that took the place of a log. */
  get installs(): number {
    return this.#parcels.delivered;
  }

  run(steps: number): void {
    for (const end = this.step + steps; this.step < end; this.step += 1) {
      this.#oneStep();
      this.#judge();
    }
  }

  /** No more faults: within a bound there is one leader, and a new command is applied everywhere. */
  heal(): void {
    this.#cut.clear();
    for (const id of this.#dead) this.#bringBack(this.#member(id));
    this.reads.deadline = this.reads.asked;
    for (const member of this.members.values()) member.applies = true;
    let marker: string | undefined;
    for (let round = 0; round < 600; round += 1, this.step += 1) {
      for (const member of this.members.values()) {
        member.tick();
        this.#network.push(...member.settle());
      }
      // Every message of now arrives within the tick, in order.
      for (const message of this.#network.splice(0)) this.#member(message.to).core.step(message);
      for (const member of this.members.values()) this.#network.push(...member.settle());
      this.#parcels.carryAll(this.members);
      this.#judge();
      const leader = this.#leader();
      if (marker === undefined && leader !== undefined && round > 100) {
        marker = `marker ${this.step}`;
        if (leader.core.propose(command(marker)).kind !== 'appended') marker = undefined;
      }
      if (marker !== undefined && this.#isAppliedEverywhere(marker)) {
        this.reads.judgeEnd(this.members.values());
        return;
      }
    }
    throw new Error(`no agreement after the faults stopped: ${JSON.stringify(this.#summary())}`);
  }

  #leader(): Member | undefined {
    const leaders = [...this.members.values()].filter((member) => member.status.role === 'leader');
    return leaders.sort((a, b) => b.status.term - a.status.term)[0];
  }

  #oneStep(): void {
    const member = this.#pick([...this.members.values()]);
    const dice = this.#random();
    if (dice < this.#odds.crash || this.#dead.has(member.id)) this.#crashOrRestart(member);
    else if (dice < this.#odds.crash + 0.02) this.#cutOrHeal();
    if (this.#dead.has(member.id)) return;
    if (dice > 0.5) member.tick(1 + Math.floor(this.#random() * 3));
    if (dice > 0.7 && member.core.propose(command(`p${this.#proposals}`)).kind === 'appended') this.#proposals += 1;
    if (dice > 0.96) this.#disturb(member);
    if (this.#random() < this.#changes) this.#changeMembers(member);
    if (this.#random() < 0.1) this.reads.ask(member, this.committed.length);
    if (this.#random() < this.#odds.compact)
      member.disk.compact(Math.ceil(this.#random() * (member.applied.length + 1)));
    if (this.#random() < 0.2) this.#parcels.carryOne(this.members, this.#dead, this.#random);
    this.#network.push(...member.turn());
    if (this.#random() < this.#odds.write) this.#network.push(...member.finishWrite());
    for (let deliveries = Math.floor(this.#random() * 8); deliveries > 0; deliveries -= 1) this.#deliverOne();
  }

  #changeMembers(member: Member): void {
    const id = this.#pick([...this.members.keys()]);
    const change = this.#pick<MembershipChange>([
      { kind: 'addLearner', member: memberOf(id) },
      { kind: 'promote', id },
      { kind: 'promote', id },
      { kind: 'remove', id },
    ]);
    if (member.core.changeMembership(change).kind === 'appended') this.changed += 1;
  }

  #deliverOne(): void {
    if (this.#network.length === 0) return;
    const reorders = this.#random() < this.#odds.reorder;
    const at = reorders ? Math.floor(this.#random() * this.#network.length) : 0;
    const repeats = this.#random() < 0.05;
    const message = repeats ? this.#network[at] : this.#network.splice(at, 1)[0];
    if (message === undefined || this.#random() < this.#odds.lose) return;
    if (this.#dead.has(message.to) || this.#cut.has(`${message.from}>${message.to}`)) return;
    this.#member(message.to).core.step(message);
  }

  #crashOrRestart(member: Member): void {
    if (this.#dead.has(member.id)) {
      if (this.#random() < 0.05) this.#bringBack(member);
      return;
    }
    // A write in flight reaches the disk, or it does not.
    if (member.writing !== undefined && this.#random() < 0.5) member.persist(member.writing);
    this.#dead.add(member.id);
    for (const other of this.members.values()) {
      if (other !== member && !this.#dead.has(other.id) && this.#random() < 0.8) other.core.peerDown(member.id);
    }
  }

  #bringBack(member: Member): void {
    this.#dead.delete(member.id);
    this.reads.forget(member);
    member.restart();
  }

  #cutOrHeal(): void {
    if (this.#random() < 0.5) {
      this.#cut.clear();
      return;
    }
    const ids = [...this.members.keys()];
    this.#cut.add(`${this.#pick(ids)}>${this.#pick(ids)}`);
  }

  /** What a driver may say at any time, true or not. */
  #disturb(member: Member): void {
    const peer = this.#pick([...this.members.keys()]);
    const { core } = member;
    this.#pick([
      () => core.peerDown(peer),
      () => core.peerReset(peer),
      () => core.paused(Math.floor(this.#random() * 40)),
      () => core.diskStalled(),
      () => core.transferLeadership(peer),
      () => core.transferLeadership(undefined),
      () => core.stepDown(),
      () => {
        member.applies = !member.applies;
      },
    ])();
  }

  #judge(): void {
    for (const member of this.members.values()) {
      if (this.#dead.has(member.id)) continue;
      this.#judgeApplied(member);
      this.reads.judge(member);
      this.#parcels.collect(member);
      const { role, term } = member.status;
      if (role !== 'leader') continue;
      const known = this.leaders.get(term);
      if (known === member.id) continue;
      if (known !== undefined) throw new Error(`two leaders in term ${term}: ${known}, ${member.id}`);
      this.leaders.set(term, member.id);
      this.#judgeLeader(member);
    }
    if (this.step % 16 === 0) this.#judgeLogs();
  }

  #judgeApplied(member: Member): void {
    for (let at = this.#judged.get(member.id) ?? 0; at < member.applied.length; at += 1) {
      const entry = member.applied[at];
      if (entry === undefined || entry.index !== at + 1)
        throw new Error(`${member.id} applied out of order at ${at + 1}`);
      const known = this.committed[at];
      if (known === undefined) this.committed.push(entry);
      else if (!sameEntry(known, entry)) throw new Error(`${member.id} applied another entry at ${at + 1}`);
      if (!sameEntry(member.disk.log[at], entry))
        throw new Error(`${member.id} applied ${at + 1} before it was durable`);
    }
    this.#judged.set(member.id, member.applied.length);
  }
  readonly #judged = new Map<NodeId, number>();

  /** Leader completeness: a new leader has everything that was ever committed. */
  #judgeLeader(member: Member): void {
    for (const [at, entry] of this.committed.entries()) {
      if (!sameEntry(member.disk.log[at], entry)) throw new Error(`leader ${member.id} lacks committed ${at + 1}`);
    }
  }

  /** Log matching: same index and term, same entry, and the same before it. */
  #judgeLogs(): void {
    const logs = [...this.members.values()].map((member) => member.disk.log);
    for (const [at, one] of logs.entries()) {
      for (const other of logs.slice(at + 1)) {
        let index = Math.min(one.length, other.length) - 1;
        while (index >= 0 && one[index]?.term !== other[index]?.term) index -= 1;
        for (; index >= 0; index -= 1) {
          if (!sameEntry(one[index], other[index])) throw new Error(`logs differ at ${index + 1} below a match`);
        }
      }
    }
    if (this.#changes > 0) return; // whose disks count differs from entry to entry
    for (const [at, entry] of this.committed.entries()) {
      const holders = logs.filter((log) => sameEntry(log[at], entry)).length;
      if (holders * 2 <= logs.length) throw new Error(`${at + 1} was committed and is on ${holders} disks`);
    }
  }

  /** On every member, that is; who was removed need not know. */
  #isAppliedEverywhere(marker: string): boolean {
    const leader = this.#leader();
    if (leader === undefined) return false;
    const { voters, learners } = leader.status.configuration;
    return [...voters, ...learners]
      .map(({ id }) => this.#member(id))
      .every((member) => member.applied.some((entry) => textOf(entry) === marker));
  }

  #summary(): unknown {
    return [...this.members.values()].map((member) => ({ ...member.status, followers: [...member.status.followers] }));
  }

  #member(id: NodeId): Member {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`no member ${id}`);
    return member;
  }

  #pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.#random() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
}
