// What clients do all day: schedule, cancel, receive, ack, nack, extend, walk away, and repeat what was answered already.

import type { WorkProfile } from '../profile.ts';
import type { Random } from '../random.ts';
import type { Client, Wanted, Where } from './client.ts';
import type { Delivered, GroupChanged, History } from './history.ts';

export interface WorkloadOptions {
  readonly profile: WorkProfile;
  readonly random: Random;
  readonly history: History;
  readonly client: (name: string, giveUpAfterMs: number) => Client;
}

/** Somebody else, with another node as the favourite, and a chance of its own. */
interface Others {
  readonly looker: Client;
  readonly random: Random;
}
interface Contended {
  readonly topic: string;
  readonly tag: string;
  readonly id: string;
  /** Until it is due. */
  readonly inMs: number;
}

export class Workload {
  readonly #options: WorkloadOptions;
  readonly #places: Where[] = [];
  #producing = true;
  #consuming = true;
  /** From here on every consumer does its work, at once and fully. */
  #diligent = false;
  #tags = 0;
  #hasPassingGroup = false;
  #failed: Error | undefined;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    const { topics, groups } = options.profile;
    for (let t = 1; t <= topics; t++)
      for (let g = 1; g <= groups; g++) this.#places.push({ topic: `t${t}`, group: `g${g}` });
  }

  /** An error that no client may ever meet. */
  get failed(): Error | undefined {
    return this.#failed;
  }

  /** A group that is to be deleted is still there. */
  get hasPassingGroup(): boolean {
    return this.#hasPassingGroup;
  }

  start(): void {
    const { profile, random, client } = this.#options;
    this.#run(async () => {
      const setup = client('setup', 300_000);
      for (const where of this.#places) await this.#insistOnGroup(setup, where);
      for (const where of this.#places) this.#options.history.groups.add(`${where.topic}/${where.group}`);
      if (profile.deleteGroup) this.#run(() => this.#passingGroup(setup));
      for (let i = 1; i <= profile.producers; i++) {
        const patienceMs = random.pick(profile.patienceMs);
        const own = random.fork(`producer ${i}`);
        const others = { looker: client(`l${i}`, patienceMs), random: random.fork(`looker ${i}`) };
        this.#run(() => this.#produce(client(`p${i}`, patienceMs), own, others));
      }
      for (const where of this.#places) {
        for (let i = 1; i <= profile.consumers; i++) {
          const name = `${where.topic}${where.group}c${i}`;
          this.#run(() => this.#consume(client(name, 300_000), where, random.fork(name)));
        }
      }
    });
  }

  stopProducing(): void {
    this.#producing = false;
  }

  beDiligent(): void {
    this.#diligent = true;
  }

  stopConsuming(): void {
    this.#consuming = false;
  }

  #run(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      this.#failed ??= error instanceof Error ? error : new Error(String(error));
    });
  }

  async #insistOnGroup(client: Client, { topic, group }: Where): Promise<void> {
    while (!(await client.createGroup(topic, group, 'earliest'))) await client.pause(200);
  }

  /** A group that takes some messages, leaves some in its hands, and is deleted: others' messages must still go when done. */
  async #passingGroup(client: Client): Promise<void> {
    const { random } = this.#options;
    const where = { topic: 't1', group: 'passing' };
    this.#hasPassingGroup = true;
    const created = this.#changing(client, 'createGroup', where);
    await this.#insistOnGroup(client, where);
    created.endedMs = client.nowMs;
    await client.pause(random.int(1_000, 6_000));
    await client.receive(where, { max: 10, leaseMs: 5_000, waitMs: 500, receiveId: client.token(), repeated: false });
    await client.pause(random.int(0, 4_000));
    const deleted = this.#changing(client, 'deleteGroup', where);
    while (!(await client.deleteGroup(where.topic, where.group))) await client.pause(200);
    deleted.endedMs = client.nowMs;
    this.#hasPassingGroup = false;
  }

  #changing(client: Client, kind: GroupChanged['kind'], where: Where): GroupChanged {
    const change: GroupChanged = { kind, ...where, invokedMs: client.nowMs, endedMs: Number.POSITIVE_INFINITY };
    this.#options.history.groupChanges.push(change);
    return change;
  }

  async #produce(client: Client, random: Random, others: Others): Promise<void> {
    const { profile } = this.#options;
    while (this.#producing) {
      await client.pause(random.exponential(profile.produceEveryMs));
      const topic = `t${random.int(1, profile.topics)}`;
      const count = random.chance(0.25) ? random.int(2, 8) : 1;
      const wanted = Array.from({ length: count }, () => this.#draw(client, random));
      const key = client.token();
      this.#run(async () => {
        const ids = await client.schedule(topic, wanted, key);
        if (random.chance(profile.repeat)) {
          await client.pause(random.exponential(500));
          await client.schedule(topic, wanted, key);
        }
        for (const [i, { tag, due }] of wanted.entries()) {
          const id = ids?.[i];
          if (id === undefined) continue;
          if (random.chance(profile.cancel)) this.#run(() => this.#cancel(client, random, topic, tag, id));
          const inMs = 'delayMs' in due ? due.delayMs : due.atMs - client.nowMs;
          if (others.random.chance(profile.crowd))
            this.#run(() => this.#crowd(client, others, { topic, tag, id, inMs }));
        }
      });
    }
  }

  #draw(client: Client, random: Random): Wanted {
    const tag = `m${++this.#tags}`;
    const kind = random.next();
    const inMs = Math.floor(random.next() * this.#options.profile.dueWithinMs);
    if (kind < 0.2) return { tag, due: { delayMs: 0 } };
    if (kind < 0.3) return { tag, due: { atMs: client.nowMs - 10_000 } };
    if (kind < 0.6) return { tag, due: { delayMs: inMs } };
    // Many fall due in the same millisecond.
    if (kind < 0.75) return { tag, due: { atMs: Math.ceil((client.nowMs + inMs) / 1_000) * 1_000 } };
    return { tag, due: { atMs: client.nowMs + inMs } };
  }

  async #cancel(client: Client, random: Random, topic: string, tag: string, id: string): Promise<void> {
    await client.pause(random.exponential(2_500));
    const key = random.chance(0.5) ? client.token() : undefined;
    const first = await client.cancel(topic, tag, id, key);
    if (first.verdict === 'unknown' || random.chance(0.5)) {
      await client.pause(random.exponential(400));
      await client.cancel(topic, tag, id, random.chance(0.5) ? key : undefined);
    }
  }

  /** Several at once ask about one message and cancel it, through different nodes, around the time when it is handed out. */
  async #crowd(client: Client, { looker, random }: Others, message: Contended): Promise<void> {
    const { topic, tag, id, inMs } = message;
    await client.pause(Math.max(0, inMs - 150 + random.exponential(300)));
    const cancels = random.chance(0.5);
    for (let i = random.int(2, 5); i > 0; i--) {
      const by = random.pick([client, looker]);
      const asksToCancel = cancels && random.chance(0.4);
      this.#run(async () => {
        await by.pause(random.exponential(40));
        if (asksToCancel) await by.cancel(topic, tag, id, random.chance(0.5) ? by.token() : undefined);
        else await by.get(topic, tag, id);
      });
    }
  }

  async #consume(client: Client, where: Where, random: Random): Promise<void> {
    const { profile } = this.#options;
    while (this.#consuming) {
      const receiveId = client.token();
      const max = this.#diligent ? 20 : random.int(1, 6);
      const want = { max, leaseMs: profile.leaseMs, waitMs: random.int(200, 2_000), receiveId, repeated: false };
      const leaves = !this.#diligent && random.chance(profile.walkAway) ? new AbortController() : undefined;
      if (leaves !== undefined)
        void client.pause(random.exponential(600)).then(() => leaves.abort(new Error('walked away')));
      const deliveries = await client.receive(where, want, leaves?.signal);
      if (deliveries.length === 0) {
        await client.pause(5);
        continue;
      }
      const [first] = deliveries;
      if (first !== undefined && random.chance(profile.repeat / 2))
        await client.receive(where, { ...want, repeated: true });
      await this.#handle(client, where, random, deliveries);
    }
  }

  async #handle(client: Client, where: Where, random: Random, deliveries: readonly Delivered[]): Promise<void> {
    const { profile } = this.#options;
    await client.pause(random.exponential(this.#diligent ? 5 : 60));
    const done: Delivered[] = [];
    for (const delivery of deliveries) {
      const fate = this.#diligent ? 1 : random.next();
      if (fate < profile.nack)
        await client.settle('nack', where, [delivery], random.chance(0.5) ? random.int(0, 1_500) : undefined);
      else if (fate < profile.nack + profile.abandon) continue;
      else if (fate < profile.nack + profile.abandon + profile.extend) {
        await client.settle('extend', where, [delivery], profile.leaseMs);
        await client.pause(Math.min(random.exponential(profile.leaseMs / 2), 1_000));
        done.push(delivery);
      } else done.push(delivery);
    }
    if (done.length === 0) return;
    await client.settle('ack', where, done, undefined);
    if (random.chance(profile.repeat / 2)) await client.settle('ack', where, done, undefined);
  }
}
