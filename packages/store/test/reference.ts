// What the store must do, said a second time with plain objects and full memory: every message that there ever was, with
// how it ended. No rows, no layers, no counters that could drift: counts are counted when they are asked for.
import {
  type Command,
  type CommandOf,
  comparePositions,
  type Fate,
  type GroupConfig,
  type HoldState,
  type Idempotency,
  type LeaseAnswer,
  type LeaseRef,
  origin,
  type Position,
  type Refusal,
  type StoreLimits,
  type Verdict,
  type VerdictOf,
} from '../src/index.ts';

export interface RefHold {
  position: Position;
  state: HoldState;
  token: number;
  attempt: number;
  untilMs: number;
  retryAtMs: number;
  retrySeq: number;
  reason: string;
}

export interface RefGroup {
  number: number;
  name: string;
  deleting: boolean;
  start: Position;
  cursor: Position;
  config: GroupConfig;
  holds: Map<number, RefHold>;
  acked: Set<number>;
}

export interface RefMessage {
  position: Position;
  body: string;
  end: 'delivered' | 'cancelled' | 'stopped' | 'skipped' | undefined;
  attempts: number;
}

export interface RefTopic {
  number: number;
  name: string;
  nextGroup: number;
  groups: RefGroup[];
  /** By seq: a seq is issued once. */
  messages: Map<number, RefMessage>;
  /** How it ended, as long as a row says so. By seq. */
  ended: Map<number, { fate: Fate; endedAtMs: number }>;
  answers: Map<string, { hash: string; untilMs: number; kind: string; verdict: Verdict }>;
}

export class Reference {
  topics: RefTopic[] = [];
  clockMs = 0;
  seq = 0;
  activeVersion = 1;
  term = 1;
  begun = { term: 0, fromMs: 0, graceMs: 0 };
  horizon = 0;
  readonly #limits: StoreLimits;

  constructor(limits: StoreLimits) {
    this.#limits = limits;
  }

  get now(): Position {
    return { fireAtMs: this.clockMs, seq: this.seq };
  }

  entry(term: number, stampMs: number | undefined): void {
    this.term = term;
    this.clockMs = Math.max(this.clockMs, stampMs ?? 0);
  }

  apply(command: Command): Verdict {
    switch (command.kind) {
      case 'begin': {
        const fromMs = this.clockMs + command.graceMs;
        this.begun = { term: this.term, fromMs, graceMs: command.graceMs };
        return { kind: 'begun', releaseFromMs: fromMs };
      }
      case 'tick':
        return { kind: 'ticked' };
      case 'schedule':
        return this.#schedule(command);
      case 'createGroup':
        return this.#createGroup(command);
      case 'deleteGroup': {
        const topic = this.topics[command.topic - 1];
        if (topic === undefined) return refuse('topicNotFound');
        const group = topic.groups.find(({ number }) => number === command.group);
        if (group === undefined) return refuse('groupNotFound');
        group.deleting = true;
        return { kind: 'deleting' };
      }
      case 'lease':
        return this.#lease(command);
      case 'cancel':
        return this.#cancel(command);
      case 'collect':
        return this.#collect(command);
      case 'activate':
        this.activeVersion = Math.max(this.activeVersion, command.version);
        return { kind: 'activated', version: this.activeVersion };
      case 'ack':
      case 'nack':
      case 'extend':
      case 'release':
      case 'giveBack':
        break;
    }
    return this.#receipts(command);
  }

  #schedule(command: CommandOf<'schedule'>): Verdict {
    const known = this.topics.find(({ name }) => name === command.topic);
    const first = this.#first(known, command.idempotency, 'schedule');
    if (first !== undefined) return first;
    if (known === undefined && this.topics.length >= this.#limits.topics) return refuse('topicLimit');
    const topic = known ?? this.#newTopic(command.topic);
    const positions = command.messages.map(({ at, body }) => {
      const asked = at.kind === 'time' ? at.timeMs : this.clockMs + at.delayMs;
      const position = { fireAtMs: Math.max(asked, this.clockMs), seq: ++this.seq };
      const message = { position, body: Buffer.from(body).toString(), end: undefined, attempts: 0 };
      topic.messages.set(position.seq, message);
      return position;
    });
    const verdict = { kind: 'scheduled', topic: topic.number, positions, repeated: false } as const;
    this.#keep(topic, command.idempotency, 'schedule', verdict);
    return verdict;
  }

  #createGroup(command: CommandOf<'createGroup'>): Verdict {
    const known = this.topics.find(({ name }) => name === command.topic);
    if (known === undefined && this.topics.length >= this.#limits.topics) return refuse('topicLimit');
    const topic = known ?? this.#newTopic(command.topic);
    const group = topic.groups.find(({ name, deleting }) => name === command.group && !deleting);
    if (group !== undefined) {
      if (command.replaceConfig) group.config = command.config;
      return { kind: 'group', topic: topic.number, group: group.number, created: false };
    }
    if (topic.groups.length >= this.#limits.groupsPerTopic) return refuse('groupLimit');
    const { start: asked, group: name, config } = command;
    let start = asked.kind === 'earliest' ? origin : this.now;
    if (asked.kind === 'time' && asked.timeMs <= this.clockMs) start = { fireAtMs: asked.timeMs, seq: 0 };
    const number = topic.nextGroup++;
    const holds = new Map<number, RefHold>();
    topic.groups.push({ number, name, deleting: false, start, cursor: start, config, holds, acked: new Set() });
    return { kind: 'group', topic: topic.number, group: number, created: true };
  }

  #lease(command: CommandOf<'lease'>): Verdict {
    const at = this.#group(command);
    if ('kind' in at) return at;
    const { topic, group } = at;
    const { cursor } = command;
    if (cursor !== undefined) {
      const back = comparePositions(cursor.from, cursor.to) > 0 || comparePositions(cursor.to, this.now) > 0;
      if (back || comparePositions(cursor.from, group.cursor) !== 0) return refuse('cursorMoved');
    }
    const leases: Extract<VerdictOf<'lease'>, { kind: 'leased' }>['leases'][number][] = [];
    const grant = (position: Position, receive: number): void => {
      const before = group.holds.get(position.seq);
      const attempt = (before?.attempt ?? 0) + 1;
      const token = ++this.seq;
      const untilMs = this.clockMs + (command.receives[receive]?.leaseMs ?? 0);
      const retry = { retryAtMs: 0, retrySeq: 0, reason: before?.reason ?? '' };
      group.holds.set(position.seq, { position, state: 'leased', token, attempt, untilMs, ...retry });
      leases.push({ position, receive, token, attempt, untilMs });
    };
    if (cursor !== undefined) {
      for (const { position, receive } of command.lane) {
        const inside = comparePositions(position, cursor.from) > 0 && comparePositions(position, cursor.to) <= 0;
        if (inside && live(topic, position) !== undefined && !group.holds.has(position.seq)) grant(position, receive);
      }
      group.cursor = cursor.to;
    }
    for (const row of command.retries) {
      const hold = group.holds.get(row.position.seq);
      const same = hold?.state === 'retry' && hold.retryAtMs === row.retryAtMs && hold.retrySeq === row.retrySeq;
      if (same && row.retryAtMs <= this.clockMs) grant(row.position, row.receive);
    }
    return { kind: 'leased', leases };
  }

  #receipts(command: CommandOf<'ack' | 'nack' | 'extend' | 'release' | 'giveBack'>): Verdict {
    const at = this.#group(command);
    if ('kind' in at) return at;
    const { topic, group } = at;
    if (command.kind === 'release' && !this.#mayRelease(command, group)) return refuse('graceRunning');
    if (command.kind === 'extend') {
      const answers = command.leases.map((lease) => {
        const hold = current(group, lease);
        if (hold === undefined) return { answer: stale(group, lease), untilMs: 0 };
        hold.untilMs = Math.max(hold.untilMs, this.clockMs + command.leaseMs);
        return { answer: 'ok' as const, untilMs: hold.untilMs };
      });
      return { kind: 'extended', answers };
    }
    if (command.kind === 'ack') {
      const answers = command.leases.map((lease): LeaseAnswer => {
        const hold = group.holds.get(lease.position.seq);
        if (hold === undefined && handed(group, lease.position)) return 'ok';
        if (current(group, lease) === undefined) return stale(group, lease);
        group.holds.delete(lease.position.seq);
        group.acked.add(lease.position.seq);
        this.#sweep(topic, lease.position);
        return 'ok';
      });
      return { kind: 'answers', answers };
    }
    if (command.kind === 'giveBack') {
      const answers = command.leases.map((lease): LeaseAnswer => {
        const hold = current(group, lease);
        if (hold === undefined) return stale(group, lease);
        hold.attempt -= 1;
        this.#retry(hold, 0);
        return 'ok';
      });
      return { kind: 'answers', answers };
    }
    const answers = command.leases.map((lease): LeaseAnswer => {
      const hold = current(group, lease);
      if (hold === undefined) {
        const again = command.kind === 'nack' && group.holds.get(lease.position.seq)?.token === lease.token;
        return again ? 'ok' : stale(group, lease);
      }
      if (command.kind === 'release' && this.clockMs < hold.untilMs) return stale(group, lease);
      hold.reason = 'reason' in lease ? lease.reason : 'lease ran out';
      if (hold.attempt >= group.config.maxAttempts) hold.state = 'dead';
      else this.#retry(hold, lease.delayMs);
      return 'ok';
    });
    return { kind: 'answers', answers };
  }

  #mayRelease(command: CommandOf<'release'>, group: RefGroup): boolean {
    const { term, fromMs, graceMs } = this.begun;
    if (term !== this.term) return false;
    return command.leases.every((lease) => {
      const hold = current(group, lease);
      const ranOut = hold !== undefined && this.clockMs >= hold.untilMs;
      return !ranOut || this.clockMs >= fromMs || this.clockMs >= hold.untilMs + 10 * graceMs;
    });
  }

  #retry(hold: RefHold, delayMs: number): void {
    hold.state = 'retry';
    hold.retryAtMs = this.clockMs + delayMs;
    hold.retrySeq = ++this.seq;
  }

  #cancel(command: CommandOf<'cancel'>): Verdict {
    const topic = this.topics[command.topic - 1];
    if (topic === undefined) return refuse('topicNotFound');
    const first = this.#first(topic, command.idempotency, 'cancel');
    if (first !== undefined) return first;
    const verdict = { ...this.#cancelNow(topic, command.position), repeated: false };
    this.#keep(topic, command.idempotency, 'cancel', verdict);
    return verdict;
  }

  #cancelNow(topic: RefTopic, position: Position): Fate | { kind: 'leased'; leasedUntilMs: number } {
    const message = live(topic, position);
    if (message === undefined) return this.fate(topic, position);
    const groups = topic.groups.filter(({ deleting }) => !deleting);
    const holds = groups.flatMap((group) => group.holds.get(position.seq) ?? []);
    const leased = holds.filter(({ state }) => state === 'leased');
    if (leased.length > 0) return { kind: 'leased', leasedUntilMs: Math.max(...leased.map(({ untilMs }) => untilMs)) };
    const wasHanded = groups.some((group) => handed(group, position));
    if (wasHanded && groups.every((group) => done(group, position))) return { kind: 'delivered' };
    message.end = wasHanded ? 'stopped' : 'cancelled';
    message.attempts = Math.max(0, ...holds.map(({ attempt }) => attempt));
    for (const group of groups) group.holds.delete(position.seq);
    const fate: Fate = wasHanded ? { kind: 'stopped', attempts: message.attempts } : { kind: 'cancelled' };
    topic.ended.set(position.seq, { fate, endedAtMs: this.clockMs });
    return fate;
  }

  /** From the truth, and not from what is missing. */
  fate(topic: RefTopic, position: Position): Fate {
    const row = topic.ended.get(position.seq);
    const message = topic.messages.get(position.seq);
    if (message === undefined || comparePositions(message.position, position) !== 0) return { kind: 'notFound' };
    if (row !== undefined) return row.fate;
    return position.seq <= this.horizon ? { kind: 'forgotten' } : { kind: 'delivered' };
  }

  #collect(command: CommandOf<'collect'>): Verdict {
    let rows = 0;
    for (const step of command.steps) {
      if (step.kind === 'answers') {
        const answers = this.topics[step.topic - 1]?.answers;
        for (const { key, untilMs } of step.keys) {
          if (untilMs <= this.clockMs && answers?.get(key)?.untilMs === untilMs) rows += Number(answers.delete(key));
        }
      } else if (step.kind === 'ended') {
        for (const { topic: number, position, endedAtMs } of step.rows) {
          const topic = this.topics[number - 1];
          if (topic?.ended.get(position.seq)?.endedAtMs !== endedAtMs) continue;
          if (endedAtMs + this.#limits.endedKeepMs > this.clockMs) continue;
          topic.ended.delete(position.seq);
          this.horizon = Math.max(this.horizon, position.seq);
          rows += 1;
        }
      } else if (step.kind === 'messages') {
        const topic = this.topics[step.topic - 1];
        for (const position of step.positions) {
          if (topic !== undefined && live(topic, position) !== undefined) rows += Number(this.#sweep(topic, position));
        }
      } else rows += this.#collectGroup(step);
    }
    return { kind: 'collected', rows };
  }

  #collectGroup(step: Extract<CommandOf<'collect'>['steps'][number], { kind: 'group' }>): number {
    const topic = this.topics[step.topic - 1];
    const group = topic?.groups.find(({ number }) => number === step.group);
    if (topic === undefined || group?.deleting !== true) return 0;
    let rows = 0;
    for (const position of step.holds) rows += Number(group.holds.delete(position.seq));
    if (!step.last || group.holds.size > 0) return rows;
    topic.groups = topic.groups.filter((other) => other !== group);
    return rows + 1;
  }

  #sweep(topic: RefTopic, position: Position): boolean {
    const groups = topic.groups.filter(({ deleting }) => !deleting);
    const message = live(topic, position);
    if (message === undefined || groups.length === 0 || !groups.every((group) => done(group, position))) return false;
    message.end = groups.some((group) => handed(group, position)) ? 'delivered' : 'skipped';
    const mustSay = message.end === 'skipped' || position.seq <= this.horizon;
    if (mustSay) topic.ended.set(position.seq, { fate: { kind: message.end }, endedAtMs: this.clockMs });
    return true;
  }

  #newTopic(name: string): RefTopic {
    const number = this.topics.length + 1;
    const topic: RefTopic = {
      number,
      name,
      nextGroup: 1,
      groups: [],
      messages: new Map(),
      ended: new Map(),
      answers: new Map(),
    };
    this.topics.push(topic);
    return topic;
  }

  #group(named: { topic: number; group: number }): { topic: RefTopic; group: RefGroup } | Refusal {
    const topic = this.topics[named.topic - 1];
    if (topic === undefined) return refuse('topicNotFound');
    const group = topic.groups.find(({ number, deleting }) => number === named.group && !deleting);
    return group === undefined ? refuse('groupNotFound') : { topic, group };
  }

  #first(topic: RefTopic | undefined, idempotency: Idempotency | undefined, kind: string): Verdict | undefined {
    const kept = idempotency === undefined ? undefined : topic?.answers.get(idempotency.key);
    if (idempotency === undefined || kept === undefined) return undefined;
    // From version 2 on it counts until it is collected.
    if (this.activeVersion < 2 && kept.untilMs <= this.clockMs) return undefined;
    const same = kept.kind === kind && kept.hash === Buffer.from(idempotency.requestHash).toString('hex');
    return same ? ({ ...kept.verdict, repeated: true } as Verdict) : refuse('idempotencyKeyReused');
  }

  #keep(topic: RefTopic, idempotency: Idempotency | undefined, kind: string, verdict: Verdict): void {
    if (idempotency === undefined) return;
    const { key, requestHash, keepMs } = idempotency;
    const hash = Buffer.from(requestHash).toString('hex');
    topic.answers.set(key, { hash, untilMs: this.clockMs + keepMs, kind, verdict });
  }
}

export function live(topic: RefTopic, position: Position): RefMessage | undefined {
  const message = topic.messages.get(position.seq);
  const same = message?.end === undefined && message?.position.fireAtMs === position.fireAtMs;
  return same ? message : undefined;
}

function handed(group: RefGroup, position: Position): boolean {
  return comparePositions(group.start, position) < 0 && comparePositions(position, group.cursor) <= 0;
}

/** Acknowledged, or never to be given to it. Said without holds and cursor, so that the rule [G1] is put to the test. */
function done(group: RefGroup, position: Position): boolean {
  return group.acked.has(position.seq) || comparePositions(group.start, position) >= 0;
}

function current(group: RefGroup, lease: LeaseRef): RefHold | undefined {
  const hold = group.holds.get(lease.position.seq);
  return hold?.state === 'leased' && hold.token === lease.token ? hold : undefined;
}

function stale(group: RefGroup, lease: LeaseRef): LeaseAnswer {
  return handed(group, lease.position) ? 'receiptNotCurrent' : 'notFound';
}

function refuse(code: Refusal['code']): Refusal {
  return { kind: 'refused', code };
}
