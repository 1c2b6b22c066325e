// Short words for tests: one topic, number 1, and a leader that reads views and proposes what it saw.
import {
  type CancelVerdict,
  type GrantedLease,
  type GroupConfig,
  type GroupStart,
  type LeaseRef,
  origin,
  type Position,
} from '../src/index.ts';
import { bytes, Harness, receiveId, type Writing } from './harness.ts';

export const topic = 1;

export class Story {
  readonly node: Harness;

  private constructor(node: Harness) {
    this.node = node;
  }

  /** @param groups names; they start at the earliest message and are numbered from 1 */
  static async open(
    groups: readonly string[],
    options: { writing?: Writing; limits?: { endedKeepMs: number } } = {},
  ): Promise<Story> {
    const story = new Story(await Harness.open(options));
    for (const group of groups) await story.createGroup(group);
    return story;
  }

  async createGroup(
    group: string,
    start: GroupStart = { kind: 'earliest' },
    config: Partial<GroupConfig> = {},
  ): Promise<number> {
    const whole = { maxAttempts: 3, backoffFirstMs: 0, backoffMaxMs: 0, ...config };
    const verdict = await this.node.apply({
      kind: 'createGroup',
      topic: 't',
      group,
      start,
      config: whole,
      replaceConfig: true,
    });
    if (verdict.kind === 'refused') throw new Error(verdict.code);
    return verdict.group;
  }

  /** One message a delay, in ms. */
  async schedule(...delaysMs: readonly number[]): Promise<readonly Position[]> {
    const messages = delaysMs.map((delayMs) => ({
      at: { kind: 'delay', delayMs } as const,
      headers: bytes('h'),
      body: bytes(`${delayMs}`),
    }));
    const verdict = await this.node.apply({ kind: 'schedule', topic: 't', messages, idempotency: undefined });
    if (verdict.kind === 'refused') throw new Error(verdict.code);
    return verdict.positions;
  }

  async scheduleOne(delayMs: number): Promise<Position> {
    const [position] = await this.schedule(delayMs);
    if (position === undefined) throw new Error('not scheduled');
    return position;
  }

  /** The clock moves on. */
  async pass(ms: number): Promise<void> {
    this.node.stampMs += ms;
    await this.node.apply({ kind: 'tick' });
  }

  /** A leader's begin, in a new term. */
  async newTerm(graceMs: number): Promise<void> {
    this.node.term += 1;
    await this.node.apply({ kind: 'begin', graceMs });
  }

  /** All that is due, for one receive. */
  async lease(group: number, leaseMs = 10_000): Promise<readonly GrantedLease[]> {
    const view = this.node.store.view();
    const from = view.groups(topic).find(({ number }) => number === group)?.cursor ?? origin;
    const to = { fireAtMs: view.clockMs, seq: view.seq };
    const lane = await view.lane(topic, from, to, 256);
    const waiting = await view.retries(topic, group, { retryAtMs: 0, retrySeq: 0 }, 256);
    await view.close();
    const verdict = await this.node.apply({
      kind: 'lease',
      topic,
      group,
      cursor: { from, to },
      receives: [{ receiveId: receiveId(1), leaseMs }],
      lane: lane.map((position) => ({ position, receive: 0 })),
      retries: waiting.filter(({ retryAtMs }) => retryAtMs <= to.fireAtMs).map((row) => ({ ...row, receive: 0 })),
    });
    if (verdict.kind === 'refused') throw new Error(verdict.code);
    return verdict.leases;
  }

  async leaseOne(group: number, leaseMs = 10_000): Promise<GrantedLease> {
    const [lease, ...others] = await this.lease(group, leaseMs);
    if (lease === undefined || others.length > 0) throw new Error(`${others.length} leases too many`);
    return lease;
  }

  async ack(group: number, ...leases: readonly LeaseRef[]): Promise<readonly string[]> {
    const verdict = await this.node.apply({ kind: 'ack', topic, group, leases });
    return verdict.kind === 'refused' ? [verdict.code] : verdict.answers;
  }

  async nack(group: number, lease: LeaseRef, delayMs = 0, reason = 'broken'): Promise<readonly string[]> {
    const verdict = await this.node.apply({ kind: 'nack', topic, group, leases: [{ ...lease, delayMs, reason }] });
    return verdict.kind === 'refused' ? [verdict.code] : verdict.answers;
  }

  async release(group: number, lease: LeaseRef, delayMs = 0): Promise<readonly string[]> {
    const verdict = await this.node.apply({ kind: 'release', topic, group, leases: [{ ...lease, delayMs }] });
    return verdict.kind === 'refused' ? [verdict.code] : verdict.answers;
  }

  async cancel(position: Position): Promise<CancelVerdict> {
    const verdict = await this.node.apply({ kind: 'cancel', topic, position, idempotency: undefined });
    if (verdict.kind === 'refused') throw new Error(verdict.code);
    const { repeated, ...plain } = verdict;
    if (repeated) throw new Error('repeated, without a key');
    return plain;
  }

  async hasMessage(position: Position): Promise<boolean> {
    const view = this.node.store.view();
    const message = view.message(topic, position);
    await view.close();
    return message !== undefined;
  }

  /** Faults of the whole state; every test ends with none. */
  check(): Promise<readonly string[]> {
    return this.node.store.check();
  }
}
