// Random lives of one topic: schedules, receives, acks, walking away, proposals that are lost or forgotten, slow commits,
// leaders that are killed with part of their tail kept. Whatever happens, each message is delivered when it is due, never
// before, and again only because a lease of it ended.
import { array, assert, asyncProperty, constant, integer, nat, oneof, record } from 'fast-check';
import { expect, test } from 'vitest';
import type { Delivery } from '../src/index.ts';
import { type Fate, type Waiting, World } from './world.ts';

type Move =
  | { readonly kind: 'schedule'; readonly delayMs: number; readonly count: number }
  | {
      readonly kind: 'receive';
      readonly max: number;
      readonly leaseMs: number;
      readonly waitMs: number;
      readonly group: number;
    }
  | { readonly kind: 'ack' | 'cancel'; readonly which: number }
  | { readonly kind: 'walkAway'; readonly which: number }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'commit' | 'scan'; readonly ms: number }
  | { readonly kind: 'doubt'; readonly ms: number }
  | { readonly kind: 'lose'; readonly fate: Fate; readonly proposals: number }
  | { readonly kind: 'kill'; readonly kept: number };

const move = oneof(
  {
    weight: 4,
    arbitrary: record({
      kind: constant('schedule' as const),
      delayMs: nat({ max: 400 }),
      count: integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 6,
    arbitrary: record({
      kind: constant('receive' as const),
      max: integer({ min: 1, max: 6 }),
      leaseMs: integer({ min: 40, max: 300 }),
      waitMs: oneof(constant(0), integer({ min: 10, max: 500 })),
      group: nat({ max: 1 }),
    }),
  },
  { weight: 4, arbitrary: record({ kind: constant('ack' as const), which: nat({ max: 50 }) }) },
  { weight: 1, arbitrary: record({ kind: constant('cancel' as const), which: nat({ max: 50 }) }) },
  { weight: 1, arbitrary: record({ kind: constant('walkAway' as const), which: nat({ max: 50 }) }) },
  { weight: 6, arbitrary: record({ kind: constant('time' as const), ms: integer({ min: 1, max: 120 }) }) },
  { weight: 1, arbitrary: record({ kind: constant('commit' as const), ms: integer({ min: 1, max: 30 }) }) },
  { weight: 2, arbitrary: record({ kind: constant('scan' as const), ms: nat({ max: 40 }) }) },
  { weight: 1, arbitrary: record({ kind: constant('doubt' as const), ms: integer({ min: 1, max: 60 }) }) },
  {
    weight: 1,
    arbitrary: record({
      kind: constant('lose' as const),
      fate: oneof(
        constant('refuse' as const),
        constant('appendAndForget' as const),
        constant('loseAndForget' as const),
      ),
      proposals: integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: record({ kind: constant('kill' as const), kept: nat({ max: 3 }) }) },
);

interface Handed {
  readonly group: number;
  readonly delivery: Delivery;
  readonly leaseMs: number;
  acked: 'no' | 'inTime' | 'late';
}

/** What its clients have seen. */
class Life {
  readonly world: World;
  readonly groups: readonly { topic: number; group: number }[];
  readonly scheduled = new Map<number, number>();
  readonly cancelled = new Set<number>();
  readonly handed: Handed[] = [];
  waiting: { waiting: Waiting; group: number; repeats: number }[] = [];

  constructor(world: World, groups: readonly { topic: number; group: number }[]) {
    this.world = world;
    this.groups = groups;
  }

  static async begin(): Promise<Life> {
    const bounds = { windowPositions: 8, rowsPerCommand: 5, holdsPerSlice: 3, collectRows: 4, retryMaxMs: 50 };
    const world = await World.open({ graceMs: 150, collectEveryMs: 100, bounds });
    await world.lead();
    const config = { maxAttempts: 1_000, backoffFirstMs: 20, backoffMaxMs: 100 };
    const groups = [await world.createGroup('t', 'one', config), await world.createGroup('t', 'two', config)];
    return new Life(world, groups);
  }

  receive(move: { max: number; leaseMs: number; waitMs: number; group: number }): void {
    const group = this.groups[move.group];
    if (group === undefined) return;
    const { max, leaseMs, waitMs } = move;
    this.waiting.push({ waiting: this.world.receive(group, { max, leaseMs, waitMs }), group: move.group, repeats: 0 });
  }

  /** Takes in what was answered; a receive that was sent elsewhere is repeated, as a client does. */
  look(): void {
    const open: typeof this.waiting = [];
    for (const one of this.waiting) {
      const { answer, request } = one.waiting;
      if (answer === undefined) open.push(one);
      else if (answer.kind === 'deliveries') this.#take(one.group, one.waiting);
      else if (answer.kind === 'tryAnotherNode' && this.world.scheduler !== undefined) {
        const group = this.groups[one.group];
        const again = this.world.receive(group ?? request, { ...request, repeated: true });
        open.push({ waiting: again, group: one.group, repeats: one.repeats + 1 });
      }
    }
    this.waiting = open;
  }

  #take(group: number, waiting: Waiting): void {
    const nowMs = this.world.stampMs();
    for (const delivery of waiting.deliveries) {
      const { seq, fireAtMs } = delivery.position;
      expect(this.scheduled.get(seq), `message ${seq} is unknown`).toBe(fireAtMs);
      expect(nowMs, `message ${seq} is early`).toBeGreaterThanOrEqual(fireAtMs);
      expect(this.cancelled.has(seq), `message ${seq} was cancelled`).toBe(false);
      const before = this.handed.filter((other) => other.group === group && other.delivery.position.seq === seq);
      for (const other of before) {
        if (other.delivery.token === delivery.token) continue;
        expect(delivery.token, 'tokens rise').toBeGreaterThan(other.delivery.token);
        expect(other.acked, `message ${seq} was acknowledged in its lease`).not.toBe('inTime');
        expect(delivery.attempt, `message ${seq}: attempts count`).toBeGreaterThan(other.delivery.attempt);
      }
      const same = before.some((other) => other.delivery.token === delivery.token);
      if (!same) this.handed.push({ group, delivery, leaseMs: waiting.request.leaseMs, acked: 'no' });
    }
  }

  async ack(which: number): Promise<void> {
    const open = this.handed.filter(({ acked }) => acked === 'no');
    const one = open[which % Math.max(1, open.length)];
    const group = this.groups[one?.group ?? 0];
    if (one === undefined || group === undefined) return;
    const { position, token } = one.delivery;
    const verdict = await this.world.apply<'ack'>({ kind: 'ack', ...group, leases: [{ position, token }] });
    const isOk = verdict.kind === 'answers' && verdict.answers[0] === 'ok';
    one.acked = isOk ? 'inTime' : 'late';
  }

  async cancel(which: number): Promise<void> {
    const [seq, fireAtMs] = [...this.scheduled].at(which % Math.max(1, this.scheduled.size)) ?? [];
    const topic = this.groups[0]?.topic;
    if (seq === undefined || fireAtMs === undefined || topic === undefined) return;
    const position = { seq, fireAtMs };
    const verdict = await this.world.apply<'cancel'>({ kind: 'cancel', topic, position, idempotency: undefined });
    if (verdict.kind === 'cancelled' || verdict.kind === 'stopped') this.cancelled.add(seq);
  }

  async schedule(delayMs: number, count: number): Promise<void> {
    const delays = Array.from({ length: count }, (_, index) => (delayMs * (index + 1)) % 400);
    for (const position of await this.world.schedule('t', delays)) this.scheduled.set(position.seq, position.fireAtMs);
  }

  async kill(kept: number): Promise<void> {
    await this.world.kill(kept);
    this.world.fateOf = () => 'append';
    await this.world.lead();
  }

  async step(move: Move): Promise<void> {
    switch (move.kind) {
      case 'schedule':
        return this.schedule(move.delayMs, move.count);
      case 'receive':
        return this.receive(move);
      case 'ack':
        return this.ack(move.which);
      case 'cancel':
        return this.cancel(move.which);
      case 'walkAway':
        return this.waiting[move.which % Math.max(1, this.waiting.length)]?.waiting.walkAway();
      case 'time':
        return this.world.advance(move.ms);
      case 'commit':
        this.world.commitMs = move.ms;
        return;
      case 'scan':
        this.world.scanMs = move.ms;
        return;
      case 'doubt':
        this.world.isDoubtful = true;
        await this.world.advance(move.ms);
        this.world.isDoubtful = false;
        return;
      case 'lose': {
        let left = move.proposals;
        this.world.fateOf = ({ kind }) => (kind !== 'begin' && left-- > 0 ? move.fate : 'append');
        return;
      }
      case 'kill':
        return this.kill(move.kept);
    }
  }

  /** The faults stop; every group's consumers take and acknowledge what there is. */
  async drain(): Promise<void> {
    this.world.fateOf = () => 'append';
    this.world.commitMs = 1;
    this.world.scanMs = 0;
    for (let round = 0; round < 300 && !this.isDone(); round++) {
      for (const group of [0, 1]) this.receive({ max: 20, leaseMs: 500, waitMs: 20, group });
      await this.world.advance(10);
      this.look();
      for (let open = this.handed.filter(({ acked }) => acked === 'no').length; open > 0; open--) await this.ack(0);
    }
  }

  isDone(): boolean {
    return [0, 1].every((group) => {
      const acked = new Set(
        this.handed
          .filter((one) => one.group === group && one.acked === 'inTime')
          .map((one) => one.delivery.position.seq),
      );
      return [...this.scheduled.keys()].every((seq) => acked.has(seq) || this.cancelled.has(seq));
    });
  }
}

test('each message is delivered, never early, and again only when a lease of it ended', async () => {
  const seen = { handed: 0, again: 0, lives: 0 };
  const check = asyncProperty(array(move, { minLength: 10, maxLength: 60 }), async (moves) => {
    const life = await Life.begin();
    for (const one of moves) {
      await life.step(one);
      await life.world.settle();
      life.look();
    }
    await life.drain();
    expect(life.world.faults).toEqual([]);
    const missing = [...life.scheduled.keys()].filter((seq) => !life.cancelled.has(seq));
    expect(life.isDone(), `not all of ${missing.length} were delivered`).toBe(true);
    expect(await life.world.store.check()).toEqual([]);
    expect(life.world.scheduler?.status().windowPositions).toBeLessThanOrEqual(2 * 2 * 8);
    await life.world.advance(1_000);
    expect(life.world.scheduler?.status()).toMatchObject({ leases: 0, proposalsInFlight: 0 });
    await life.world.kill();
    seen.lives++;
    seen.handed += life.handed.length;
    seen.again += life.handed.filter(({ delivery }) => delivery.attempt > 1).length;
  });
  await assert(check, { numRuns: Number(process.env['SCHEDULER_LIVES'] ?? 40) });
  // A clean run must not be clean because nothing happened.
  expect(seen.handed).toBeGreaterThan(seen.lives * 10);
  expect(seen.again).toBeGreaterThan(seen.lives / 10);
}, 120_000);
