// Repeats a request until some node answers, so that a change of leader costs its caller time and nothing else. What may
// be repeated, and how, is in repeat/rules.ts. Nothing here touches real time, chance or a socket: the simulator runs it.
import {
  type AnswerOf,
  type ErrorCode,
  HoldfastError,
  OutcomeUnknownError,
  type RequestOf,
  type Verb,
} from '@holdfast/api';
import { type Carrier, type CarrierCallOptions, type NodeCaller, NodeUnreachable } from './carrier.ts';
import type { ClientClock } from './clock.ts';
import { CallEnding } from './repeat/call-ending.ts';
import { Course, type Failure } from './repeat/course.ts';
import { Gate } from './repeat/gate.ts';
import { checkedGiveUpAfterMs } from './repeat/give-up.ts';
import { LeaderFinder } from './repeat/leader-finder.ts';
import { NodeChoice } from './repeat/node-choice.ts';
import { Overtaken } from './repeat/overtaken.ts';
import { repeatRules } from './repeat/rules.ts';

export interface RetryingCarrierOptions {
  /** Addresses of nodes; any one of them is enough, more of them survive its loss. */
  readonly nodes: readonly string[];
  readonly caller: NodeCaller;
  readonly clock: Pick<ClientClock, 'monotonicMs' | 'after'>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** For idempotency keys and receive ids: unpredictable, since who knows one can ask for its answer. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** 5 minutes by default: an outage may outlast a lease. At most 9 minutes. */
  readonly giveUpAfterMs?: number;
  /** Receives under way at once; `carrierBounds` says how many by default. */
  readonly receivePlaces?: number;
}

/** Numbers since the carrier was made; each limit and each repeat can be seen here. */
export interface CarrierCounters {
  readonly calls: number;
  readonly attempts: number;
  /** Attempts after the first one of a call. */
  readonly repeats: number;
  readonly unreachable: number;
  readonly timedOut: number;
  readonly gaveUp: number;
  readonly leaderLooks: number;
  /** Attempts that were given up before their time: their node was silent, and another one leads, or the same one anew. */
  readonly overtaken: number;
  readonly refusals: ReadonlyMap<ErrorCode, number>;
  /** Calls under way, and calls that wait for a place. */
  readonly inside: number;
  readonly waiting: number;
}

export interface RetryingCarrier extends Carrier {
  /** No call succeeds any more. */
  readonly isClosed: boolean;
  counters(): CarrierCounters;
}

export const carrierBounds = {
  /** For everything but the two kinds below. Each kind has places and a line of its own, so none waits for another. */
  calls: { places: 128, waiting: 100_000 },
  /**
   * For acks, nacks and extensions. A lease must not run out because its ack stands in line behind a hundred thousand messages
   * that the program schedules, or behind calls that a node has told to wait.
   */
  answers: { places: 128, waiting: 100_000 },
  /**
   * Receives wait for long, and must not keep another call from leaving. One without a place is not heard until another one has
   * waited to its end, so what is due for it is late. Hence more places than a program is likely to need (a worker has three
   * receives); each one that is taken costs a connection.
   */
  receives: { places: 1_024, waiting: 10_000 },
} as const;

type Outcome<V extends Verb> = { readonly kind: 'answered'; readonly answer: AnswerOf<V> } | Failure;

/** @throws RangeError when `giveUpAfterMs` is 0, or so long that a write could be done twice */
export function createRetryingCarrier(options: RetryingCarrierOptions): RetryingCarrier {
  return new Repeater(options);
}

class Repeater implements RetryingCarrier {
  readonly #options: RetryingCarrierOptions;
  readonly #giveUpAfterMs: number;
  readonly #choice: NodeChoice;
  readonly #finder: LeaderFinder;
  readonly #overtaken: Overtaken;
  readonly #calls = new Gate(carrierBounds.calls);
  readonly #answers = new Gate(carrierBounds.answers);
  readonly #receives: Gate;
  readonly #running = new Set<CallEnding>();
  readonly #counts = { calls: 0, attempts: 0, repeats: 0, gaveUp: 0 };
  readonly #failures = { unreachable: 0, timedOut: 0, refusals: new Map<ErrorCode, number>() };
  #closing: Promise<void> | undefined;

  constructor(options: RetryingCarrierOptions) {
    this.#options = options;
    this.#giveUpAfterMs = checkedGiveUpAfterMs(options.giveUpAfterMs);
    const { places, waiting } = carrierBounds.receives;
    this.#receives = new Gate({ places: options.receivePlaces ?? places, waiting });
    this.#choice = new NodeChoice(options.nodes, options.random());
    this.#finder = new LeaderFinder(options, this.#choice);
    this.#overtaken = new Overtaken(options, this.#choice);
  }

  async call<V extends Verb>(verb: V, request: RequestOf<V>, options: CarrierCallOptions): Promise<AnswerOf<V>> {
    if (this.isClosed) throw closedError();
    const giveUpAtMs = this.#options.clock.monotonicMs() + this.#giveUpAfterMs;
    const gate = this.#gateOf(verb);
    const ending = new CallEnding(options.signal);
    ending.throwIfEnded();
    this.#counts.calls += 1;
    this.#running.add(ending);
    try {
      const entering = gate.enter(ending);
      if (entering !== undefined && !(await entering)) ending.throwIfEnded();
      try {
        return await this.#repeat(verb, request, ending, giveUpAtMs, options.onAttempt);
      } finally {
        gate.leave();
      }
    } finally {
      ending.release();
      this.#running.delete(ending);
    }
  }

  counters(): CarrierCounters {
    return {
      ...this.#counts,
      ...this.#failures,
      refusals: new Map(this.#failures.refusals),
      leaderLooks: this.#finder.looks,
      overtaken: this.#overtaken.count,
      inside: this.#calls.inside + this.#answers.inside + this.#receives.inside,
      waiting: this.#calls.waiting + this.#answers.waiting + this.#receives.waiting,
    };
  }

  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #gateOf(verb: Verb): Gate {
    if (verb === 'receive') return this.#receives;
    return verb === 'ack' || verb === 'nack' || verb === 'extend' ? this.#answers : this.#calls;
  }

  async #close(): Promise<void> {
    this.#finder.close();
    this.#overtaken.close();
    for (const ending of this.#running) ending.end(closedError());
    await this.#options.caller.close();
  }

  async #repeat<V extends Verb>(
    verb: V,
    original: RequestOf<V>,
    ending: CallEnding,
    giveUpAtMs: number,
    onAttempt: (() => void) | undefined,
  ): Promise<AnswerOf<V>> {
    const rule = repeatRules[verb];
    const { clock, random } = this.#options;
    const course = new Course(this.#choice, random, this.#failures);
    let request = rule.identify(original, () => this.#draw());
    const attemptMs = rule.attemptMs(request);
    for (;;) {
      const leftMs = giveUpAtMs - clock.monotonicMs();
      if (leftMs <= 0) {
        this.#counts.gaveUp += 1;
        throw course.givingUp(rule.changes, this.#giveUpAfterMs);
      }
      onAttempt?.();
      const outcome = await this.#attempt(
        course.node,
        verb,
        request,
        Math.min(leftMs, course.attemptMs(attemptMs)),
        ending,
      );
      if (outcome.kind === 'answered') {
        this.#choice.answered(course.node);
        this.#finder.maybeLook(course.node);
        return outcome.answer;
      }
      if (outcome.kind === 'refused' && course.maybeApplied && outcome.error.code === rule.settledBy?.code)
        return rule.settledBy.answer;
      const pauseMs = course.afterFailure(outcome, rule.changes);
      if (pauseMs > 0) await this.#pause(Math.min(pauseMs, Math.max(giveUpAtMs - clock.monotonicMs(), 0)), ending);
      if (this.isClosed && rule.changes && course.maybeApplied) throw new OutcomeUnknownError({ detail: closedDetail });
      ending.throwIfEnded();
      this.#counts.repeats += 1;
      request = rule.again(request);
    }
  }

  /** One attempt at one node, bounded in time whatever the caller does. Never rejects. */
  #attempt<V extends Verb>(
    node: string,
    verb: V,
    request: RequestOf<V>,
    timeMs: number,
    ending: CallEnding,
  ): Promise<Outcome<V>> {
    this.#counts.attempts += 1;
    const { clock, caller } = this.#options;
    return new Promise((resolve) => {
      const controller = new AbortController();
      let settled = false;
      const settle = (outcome: Outcome<V>): void => {
        // The answer to an attempt that was given up comes late, when `ending` already watches the next one.
        if (settled) return;
        settled = true;
        cancelTimer();
        ended(outcome.kind === 'answered' || outcome.kind === 'refused');
        ending.whileWaiting(undefined);
        resolve(outcome);
      };
      const giveUp = (outcome: Failure): void => {
        settle(outcome);
        controller.abort();
      };
      const cause = (): NodeUnreachable => new NodeUnreachable(node, true);
      const cancelTimer = clock.after(timeMs, () =>
        giveUp({ kind: 'silent', sent: true, timedOut: true, cause: cause() }),
      );
      const ended = this.#overtaken.began(node, verb === 'receive', () =>
        giveUp({ kind: 'overtaken', cause: cause() }),
      );
      ending.whileWaiting(() => giveUp({ kind: 'ended' }));
      caller.call(node, verb, request, controller.signal).then(
        (answer) => settle({ kind: 'answered', answer }),
        (error: unknown) => settle(failureOf(error)),
      );
    });
  }

  #pause(pauseMs: number, ending: CallEnding): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancelTimer();
        ending.whileWaiting(undefined);
        resolve();
      };
      const cancelTimer = this.#options.clock.after(pauseMs, done);
      ending.whileWaiting(done);
    });
  }

  #draw(): string {
    return Buffer.from(this.#options.randomBytes(16)).toString('hex');
  }
}

const closedDetail = 'This client was closed.';
const closedError = (): HoldfastError => new HoldfastError('HF_STOPPING', { detail: closedDetail });

function failureOf(error: unknown): Failure {
  if (error instanceof HoldfastError) return { kind: 'refused', error };
  if (error instanceof NodeUnreachable) return { kind: 'silent', sent: error.sent, timedOut: false, cause: error };
  return { kind: 'broken', error };
}
