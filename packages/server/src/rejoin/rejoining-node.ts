// A node that has itself replaced where its directory was emptied or damaged (--rejoin). What tells so is never this node
// alone: a directory that does not open, or the word of the others that it is not the one they know. And the others must be
// a majority without it, by the word of their leader, before anything is moved or changed.
//
//   empty        it is started as a founder, who has no vote before all agree with it; a cluster that was founded before
//                answers that it knows this member with another directory (HF_WIPED_MEMBER)
//   damaged      the directory does not open (HF_DIRECTORY_DAMAGED, HF_LOG_CORRUPT, HF_LOG_GAP), or the leader says that
//                its end is missing (HF_LOG_CUT)
//   interrupted  the directory waits to be taken in already: a process before this one has got so far
//
// Then the directory is moved aside, and an empty one is started as with --join. It is another incarnation: it has promised
// nothing, and it has no vote before a committed entry gives it one.
import { type AnswerOf, HoldfastError, type RequestOf, type Verb } from '@holdfast/api';
import { RaftError, systemClock } from '@holdfast/raft';
import type { NodeConfig } from '../config.ts';
import { countAside, moveAside } from '../directory/marker.ts';
import { createForwarder } from '../http-forward.ts';
import type { MemberLog, MemberStatus, Service } from '../member.ts';
import type { Node, NodeOptions } from '../node-types.ts';
import { StartError } from '../start-error.ts';
import { mayBeReplaced, type ReplacementPorts, replace } from './replacement.ts';

/** Moved aside so many times, and nobody has cleared them away: the disk is not to be trusted, and would fill. */
const maxAside = 3;
const askMs = 5_000;
const damaged: ReadonlySet<string> = new Set(['HF_DIRECTORY_DAMAGED', 'HF_LOG_CORRUPT', 'HF_LOG_GAP']);

export interface RejoiningOptions extends NodeOptions {
  readonly log: MemberLog;
  readonly start: (config: NodeConfig, options: NodeOptions & { readonly log: MemberLog }) => Promise<Node>;
}

/** @throws StartError, RaftError: the node did not start, and could not be replaced */
export async function startRejoining(config: NodeConfig, options: RejoiningOptions): Promise<Node> {
  const node = new RejoiningNode(config, options);
  await node.start();
  return node;
}

class RejoiningNode implements Node {
  readonly id: string;
  readonly #config: NodeConfig;
  readonly #options: RejoiningOptions;
  readonly #forwarder = createForwarder();
  readonly #stopping = new AbortController();
  #inner: Node | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(config: NodeConfig, options: RejoiningOptions) {
    this.id = config.id;
    this.#config = config;
    this.#options = options;
    options.signal?.addEventListener('abort', () => this.#stopping.abort(), { once: true });
  }

  get api(): string {
    return this.#running.api;
  }

  get service(): Service {
    return this.#running.service;
  }

  status(): MemberStatus {
    return this.#running.status();
  }

  async start(): Promise<void> {
    try {
      await this.#startOnce();
    } catch (error) {
      await this.#forwarder.close();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#work;
    await this.#inner?.stop();
    await this.#forwarder.close();
  }

  get #running(): Node {
    if (this.#inner === undefined) throw new Error('the node has not started');
    return this.#inner;
  }

  async #startOnce(): Promise<void> {
    let node: Node;
    try {
      node = await this.#startInner(this.#config);
    } catch (error) {
      if (waitsAlready(error)) return await this.#startWaiting();
      if (!damaged.has(codeOf(error))) throw error;
      return await this.#startAnew(error);
    }
    // One that was started with --join: who was a member is replaced, who is new waits for an operator.
    if (node.status().raft.isWaiting) this.#askToReplace();
  }

  /** What happens to it before it is there is told afterwards. */
  async #startInner(config: NodeConfig): Promise<Node> {
    const { log, start } = this.#options;
    const early: Error[] = [];
    let isUp = false;
    const onFatal = (error: Error): void => {
      if (isUp) this.#failed(error);
      else early.push(error);
    };
    const node = await start(config, { log, onFatal });
    this.#inner = node;
    isUp = true;
    for (const error of early) this.#failed(error);
    return node;
  }

  #failed(error: Error): void {
    const isWiped = codeOf(error) === 'HF_WIPED_MEMBER' && this.#inner?.status().clusterId === undefined;
    const isLost = isWiped || codeOf(error) === 'HF_LOG_CUT';
    if (!isLost || this.#stopping.signal.aborted) return this.#options.onFatal?.(error);
    this.#work = this.#renew(error);
  }

  async #renew(fault: Error): Promise<void> {
    try {
      await this.#inner?.stop();
      await this.#startAnew(fault);
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#options.onFatal?.(error instanceof Error ? error : fault);
    }
  }

  /** @throws `fault` where the cluster needs this member as it is, or does not know it */
  async #startAnew(fault: unknown): Promise<void> {
    const { log } = this.#options;
    const { dataDir } = this.#config;
    log.warn(
      { event: 'rejoin.lost', code: codeOf(fault), dataDir },
      'this directory is of no use; asks to be replaced',
    );
    if ((await countAside(dataDir)) >= maxAside) {
      log.error(
        { event: 'rejoin.gaveUp', attempts: maxAside, why: `${dataDir} holds damaged-*` },
        'was replaced too often',
      );
      throw fault;
    }
    const { signal } = this.#stopping;
    if (!(await mayBeReplaced(this.#ports(), signal)) || signal.aborted) throw fault;
    const name = new Date(systemClock.wallMs()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const aside = await moveAside(dataDir, name);
    log.warn({ event: 'rejoin.aside', aside }, 'what is left of the directory was moved aside');
    await this.#startWaiting();
  }

  async #startWaiting(): Promise<void> {
    await this.#startInner({ ...this.#config, join: true });
    this.#askToReplace();
  }

  #askToReplace(): void {
    this.#work = this.#replaced().catch((error: unknown) =>
      this.#options.onFatal?.(error instanceof Error ? error : new Error(String(error))),
    );
  }

  async #replaced(): Promise<void> {
    const { id } = this;
    const { incarnation } = this.#running.status().raft;
    const self = this.#config.peers.find((peer) => peer.id === id);
    if (self === undefined) throw new RangeError(`${id} is not among its peers`);
    const own = { id, incarnation, peer: self.peer, api: self.api };
    // Something was moved aside only once the cluster had listed this member with another directory, so a replacement was
    // begun here. A directory that only waits may be that of a node that never was a member.
    const mayAdd = (await countAside(this.#config.dataDir)) > 0;
    // Giving up leaves a node that waits: an operator may still take it in.
    await replace(this.#ports(), own, mayAdd, this.#stopping.signal);
  }

  #ports(): ReplacementPorts {
    const nothing = { params: {}, query: {}, body: undefined, idempotencyKey: undefined };
    return {
      id: this.id,
      members: () => this.#ask('members', nothing),
      remove: (lost) => this.#ask('removeMember', { ...nothing, params: { id: this.id }, query: { lost } }),
      add: (own) => this.#ask('addMember', { ...nothing, body: own }),
      clock: systemClock,
      random: Math.random,
      log: this.#options.log,
    };
  }

  /** The first of the others that answers; it passes the request on to the leader. @throws HoldfastError */
  async #ask<V extends Verb>(verb: V, request: RequestOf<V>): Promise<AnswerOf<V>> {
    let refusal = new HoldfastError('HF_NO_LEADER');
    for (const peer of this.#config.peers) {
      if (peer.id === this.id) continue;
      const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(askMs)]);
      try {
        return await this.#forwarder.ask(peer, verb, request, { signal });
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
        refusal = error;
        if (!elsewhere.has(error.code)) break;
      }
    }
    throw refusal;
  }
}

/** Another node may know better. */
const elsewhere: ReadonlySet<string> = new Set(['HF_NO_LEADER', 'HF_STOPPING']);

function codeOf(error: unknown): string {
  return error instanceof RaftError || error instanceof StartError ? error.code : '';
}

/** The directory was made by a replacement, or with --join: it founds nothing, and no cluster has taken it in yet. */
function waitsAlready(error: unknown): boolean {
  return error instanceof RaftError && error.code === 'HF_WRONG_CLUSTER' && error.facts['found'] === '';
}
