// Requests and answers, between clients and nodes and from node to node (a follower passes a request on). Any of the two
// ways may be slow or lost: with a reset, so that the caller knows, or in silence, so that only its own patience ends it.
import { type AnswerOf, HoldfastError, type RequestOf, type Verb } from '@holdfast/api';
import { type NodeCaller, NodeUnreachable } from '@holdfast/client';
import type { CallOptions, Service } from '@holdfast/server';
import type { Random } from '../random.ts';
import type { Trace } from '../trace.ts';
import type { TrueTime } from './clock.ts';
import type { Process } from './process.ts';

/** A node as those see it who send it requests. */
export interface Door {
  readonly id: string;
  readonly process: Process;
  readonly service: Service;
}

export interface ClientLink {
  cut: boolean;
  /** Chance that a request, or an answer, does not arrive. */
  lostRequests: number;
  lostAnswers: number;
}

export interface ClientNetworkOptions {
  readonly time: TrueTime;
  readonly random: Random;
  readonly trace: Trace;
  readonly latencyMs: number;
  /** The node of this name, when its machine is there; a door with a dead process refuses connections. */
  readonly door: (id: string) => Door | 'refused' | 'silent';
  /** Whether one node reaches another one now. */
  readonly passes: (from: string, to: string) => boolean;
}

/** Connecting to a machine that is not there takes so long to fail. */
const connectMs = 1_000;

interface OpenCall {
  readonly process: Process;
  readonly broken: (told: boolean) => void;
}

export class ClientNetwork {
  /** When requests and answers were lost. */
  readonly losses: { readonly fromMs: number; readonly untilMs: number }[] = [];
  readonly #options: ClientNetworkOptions;
  readonly #open = new Set<OpenCall>();
  /** Of every call that has not ended: forgets it. */
  readonly #waiting = new Set<() => void>();
  /** Between all clients and one node. */
  readonly links = new Map<string, ClientLink>();

  constructor(options: ClientNetworkOptions) {
    this.#options = options;
  }

  link(node: string): ClientLink {
    const link = this.links.get(node) ?? { cut: false, lostRequests: 0, lostAnswers: 0 };
    this.links.set(node, link);
    return link;
  }

  caller(client: string): NodeCaller {
    const passes = (way: 'lostRequests' | 'lostAnswers') => (node: string) => {
      const link = this.link(node);
      return !link.cut && !this.#options.random.chance(link[way]);
    };
    const there = passes('lostRequests');
    const back = passes('lostAnswers');
    return {
      call: (node, verb, request, signal) =>
        this.#carry(
          { from: client, to: nodeOf(node), there, back, forwarded: false, caller: undefined },
          verb,
          request,
          signal,
        ),
      close: () => Promise.resolve(),
    };
  }

  /** A node passes a request on. @throws HoldfastError as the port of the member promises */
  async forward<V extends Verb>(
    from: Door,
    to: string,
    verb: V,
    request: RequestOf<V>,
    signal: AbortSignal,
  ): Promise<AnswerOf<V>> {
    const there = (): boolean => this.#options.passes(from.id, to);
    const back = (): boolean => this.#options.passes(to, from.id);
    try {
      return await this.#carry(
        { from: from.id, to, there, back, forwarded: true, caller: from.process },
        verb,
        request,
        signal,
      );
    } catch (error) {
      if (!(error instanceof NodeUnreachable)) throw error;
      throw new HoldfastError(error.sent ? 'HF_OUTCOME_UNKNOWN' : 'HF_NO_LEADER', {}, { cause: error });
    }
  }

  /** Requests that this process was busy with get no answer; whoever waits learns it when the machine resets connections. */
  processDied(process: Process, told: boolean): void {
    for (const call of this.#open) if (call.process === process) call.broken(told);
  }

  /**
   * Nothing is carried any more. Node holds a signal that follows others (AbortSignal.any) for as long as somebody listens to it,
   * and with it whatever the listener knows. Some calls never end, and would hold the whole world.
   */
  close(): void {
    for (const forget of this.#waiting) forget();
  }

  #carry<V extends Verb>(way: Way, verb: V, request: RequestOf<V>, signal: AbortSignal): Promise<AnswerOf<V>> {
    const { time, random, trace, latencyMs, door } = this.#options;
    const delayMs = (): number => latencyMs + random.exponential(latencyMs);
    const running = new AbortController();
    return new Promise((resolve, reject) => {
      let open = true;
      let call: OpenCall | undefined;
      const end = (act: () => void): void => {
        if (!open) return;
        open = false;
        if (call !== undefined) this.#open.delete(call);
        this.#waiting.delete(forget);
        signal.removeEventListener('abort', onAbort);
        act();
      };
      const forget = (): void => end(() => undefined);
      /** Back at the caller, which may itself be a node that died or sleeps. */
      const arrives = (afterMs: number, act: () => void): void => {
        if (way.caller === undefined) time.after(afterMs, () => end(act));
        else way.caller.after(afterMs, 'socket', () => end(act));
      };
      let sent = false;
      const onAbort = (): void => {
        time.after(delayMs(), () => running.abort());
        end(() => reject(new NodeUnreachable(way.to, sent)));
      };
      if (signal.aborted) return reject(new NodeUnreachable(way.to, false));
      signal.addEventListener('abort', onAbort);
      this.#waiting.add(forget);

      const fail = (told: boolean, wasSent: boolean): void => {
        if (told) arrives(delayMs(), () => reject(new NodeUnreachable(way.to, wasSent)));
      };
      const answer = (act: () => void): void => {
        if (!way.back(way.to)) return fail(random.chance(0.5), true);
        arrives(delayMs(), act);
      };
      time.after(delayMs(), () => {
        if (!open) return;
        const target = door(way.to);
        if (target === 'silent') {
          arrives(connectMs, () => reject(new NodeUnreachable(way.to, false)));
          return;
        }
        if (target === 'refused') return fail(true, false);
        if (!way.there(way.to)) return fail(random.chance(0.5), true);
        sent = true;
        call = { process: target.process, broken: (told) => fail(told, true) };
        this.#open.add(call);
        target.process.arrive('socket', () => {
          if (running.signal.aborted) return;
          trace.note(way.to, 'asked', way.from, verb);
          const options: CallOptions = { signal: running.signal, forwarded: way.forwarded };
          void settled(target.service.call(verb, request, options)).then((ending) => {
            if (!target.process.alive) return false;
            answer(() => ('value' in ending ? resolve(ending.value) : reject(ending.error)));
            return true;
          });
        });
      });
    });
  }
}

interface Way {
  readonly from: string;
  readonly to: string;
  readonly there: (node: string) => boolean;
  readonly back: (node: string) => boolean;
  readonly forwarded: boolean;
  /** The process that asks, when it is a node. */
  readonly caller: Process | undefined;
}

export const apiOf = (id: string): string => `http://${id}:7300`;
const nodeOf = (api: string): string => new URL(api).hostname;

async function settled<T>(call: Promise<T>): Promise<{ readonly value: T } | { readonly error: Error }> {
  try {
    return { value: await call };
  } catch (error) {
    return { error: asReceived(error) };
  }
}

/** Errors cross a wire as a code and its facts; anything else would be a bug of the service. */
function asReceived(error: unknown): Error {
  if (error instanceof HoldfastError) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  return new Error(`the service threw what is no HoldfastError: ${cause.stack ?? cause.message}`, { cause });
}
