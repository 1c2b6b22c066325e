// A node, from its settings to its sockets and back. Start and stop stand here in their order; whatever fails on the way
// closes what was opened before, and says by a code why.
import { randomBytes } from 'node:crypto';
import { HoldfastError } from '@holdfast/api';
import { defaultRetention, systemClock } from '@holdfast/raft';
import { addressText, isLoopback, type NodeConfig } from './config.ts';
import { createMember } from './create-member.ts';
import { type OpenDirectory, openDirectory } from './directory/directory.ts';
import { directoryFault } from './directory/directory-fault.ts';
import { createApp } from './http/app.ts';
import { type Listener, listen } from './http/listener.ts';
import { createForwarder, type Forwarder } from './http-forward.ts';
import { createLog } from './log.ts';
import type { Member, MemberLog, MemberPorts, MemberStatus, Peer, Service } from './member.ts';
import { Metrics } from './metrics.ts';
import type { Node, NodeOptions } from './node-types.ts';
import { type PeerTransport, peerTransport } from './peers/transport.ts';
import { startRejoining } from './rejoin/rejoining-node.ts';

/** All packages carry one version. */
const version = '0.1.0';

/**
 * However little of the log is kept otherwise: what is written while a member is sent the state must still be there when it
 * has it, or it is sent another one, for ever.
 */
const catchUpBytesOf = (retainBytes: number): number => Math.max(defaultRetention.catchUpBytes, 4 * retainBytes);

/** What is answered before there is a member. */
const notStarted: Service = {
  call: () => Promise.reject(new HoldfastError('HF_STOPPING', { retryAfterMs: 1_000 })),
};

/** The most that each step of stopping takes; what is left then is left behind, and nothing acknowledged with it. */
const stopStepMs = { member: 12_000, http: 2_000, forwarder: 2_000, database: 10_000 } as const;

/**
 * @throws StartError, RaftError: the node did not start, and nothing of it is left
 */
export async function startNode(config: NodeConfig, options: NodeOptions = {}): Promise<Node> {
  const log = options.log ?? createLog({ id: config.id, level: config.logLevel, pretty: config.pretty });
  return config.rejoin
    ? await startRejoining(config, { ...options, log, start: startOnce })
    : await startOnce(config, { ...options, log });
}

async function startOnce(config: NodeConfig, options: NodeOptions & { readonly log: MemberLog }): Promise<Node> {
  const { log } = options;
  const parts = new NodeParts(config, log, options.onFatal ?? (() => undefined));
  try {
    await parts.start();
  } catch (error) {
    await parts.stop();
    throw directoryFault(config.dataDir, error);
  }
  return parts;
}

class NodeParts implements Node {
  readonly #config: NodeConfig;
  readonly #log: MemberLog;
  readonly #onFatal: (error: Error) => void;
  readonly #forwarder: Forwarder = createForwarder();
  readonly #transport: PeerTransport;
  readonly #metrics: Metrics;
  #directory: OpenDirectory | undefined;
  #listener: Listener | undefined;
  #member: Member | undefined;
  #fatal: Error | undefined;
  #stopped: Promise<void> | undefined;

  constructor(config: NodeConfig, log: MemberLog, onFatal: (error: Error) => void) {
    this.#config = config;
    this.#log = log;
    this.#onFatal = onFatal;
    this.#transport = peerTransport(config, { clock: systemClock, random: Math.random, log });
    this.#metrics = new Metrics({
      status: () => this.#member?.status(),
      refusals: () => this.#refusals(),
      connections: () => this.#listener?.connections() ?? 0,
      forwarding: () => this.#forwarder.inFlight(),
    });
  }

  get id(): string {
    return this.#config.id;
  }

  get api(): string {
    return `http://${addressText(this.#listener?.address ?? this.#config.listen)}`;
  }

  /** Before there is a member, and while it stops, every call is told so. */
  get service(): Service {
    return this.#member?.service ?? notStarted;
  }

  status(): MemberStatus {
    if (this.#member === undefined) throw new Error('the node has not started');
    return this.#member.status();
  }

  /** The directory first: nobody may connect to a node that must not run. The API before the member: a long recovery can be watched. */
  async start(): Promise<void> {
    const { id, dataDir, listen: address } = this.#config;
    this.#log.info({ event: 'node.starting', id, dataDir, version, pid: process.pid }, 'starting');
    this.#directory = await openDirectory(dataDir, (durationMs) => this.#metrics.wrote(durationMs));
    const app = createApp({
      service: { call: (verb, request, options) => this.service.call(verb, request, options) },
      health: {
        status: () => this.#member?.status(),
        stopping: () => this.#stopped !== undefined,
        fatal: () => this.#fatal,
      },
      metrics: this.#metrics,
      log: this.#log,
      version,
    });
    this.#listener = await listen(app, address, this.#log);
    this.#log.info({ event: 'node.listening', api: this.api }, 'the API answers');
    if (!isLoopback(address.host))
      this.#log.warn(
        { event: 'node.insecure', listen: addressText(address) },
        'other machines can reach this node, and nobody is asked who they are',
      );
    this.#member = await createMember(this.#memberConfig(), this.#ports(this.#directory));
    await this.#member.start();
  }

  /** Where this node really listens is known only now. */
  #memberConfig() {
    const { id, peers, join, timing, graceMs, maxClockSkewMs, minFreeBytes, freeMarginBytes } = this.#config;
    const { logRetainBytes } = this.#config;
    const retention = { retainBytes: logRetainBytes, catchUpBytes: catchUpBytesOf(logRetainBytes) };
    const real = (peer: Peer) => (peer.id === id && peers.length === 1 ? { ...peer, api: this.api } : peer);
    const limits = { maxClockSkewMs, minFreeBytes, freeMarginBytes, retention };
    return { id, peers: peers.map(real), join, timing, graceMs, ...limits };
  }

  #ports({ database, disk }: OpenDirectory): MemberPorts {
    return {
      database,
      disk,
      transport: this.#transport.transport,
      clock: systemClock,
      random: Math.random,
      randomBytes: (count) => randomBytes(count),
      log: this.#log,
      forward: this.#forwarder.forward,
      onFatal: (error) => this.#fail(error),
      onDelivered: (topic, latenessMs) => this.#metrics.delivered(topic, latenessMs),
    };
  }

  #fail(fault: Error): void {
    if (this.#fatal !== undefined) return;
    const error: Error = directoryFault(this.#config.dataDir, fault);
    this.#fatal = error;
    this.#log.error(
      { event: 'node.fatal', code: 'code' in error ? String(error.code) : 'none', error },
      'the node can not go on',
    );
    this.#onFatal(error);
  }

  #refusals(): ReadonlyMap<string, number> {
    const all = new Map([...this.#transport.counts()].map(([reason, count]) => [`peers.${reason}`, count]));
    for (const [bound, count] of this.#forwarder.refusals) all.set(bound, count);
    all.set('http.connections', this.#listener?.dropped ?? 0);
    return all;
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  /** Nobody new comes in; the member answers everybody who waits; then those answers leave; then the disk is let go. */
  async #stop(): Promise<void> {
    this.#log.info({ event: 'node.stopping' }, 'stopping');
    this.#listener?.stopAccepting();
    await this.#within('member', this.#member?.stop());
    await this.#within('forwarder', this.#forwarder.close());
    await this.#within('http', this.#listener?.close(stopStepMs.http / 2));
    await this.#within('database', this.#directory?.close());
    this.#log.info({ event: 'node.stopped' }, 'stopped');
  }

  /** A step that fails or hangs must not keep the next ones from being done. */
  async #within(step: keyof typeof stopStepMs, done: Promise<void> | undefined): Promise<void> {
    const limitMs = stopStepMs[step];
    let cancel = (): void => undefined;
    const late = new Promise<'late'>((resolve) => (cancel = systemClock.after(limitMs, () => resolve('late'))));
    const outcome = await Promise.race([
      Promise.resolve(done).then(
        () => 'done' as const,
        (error: unknown) => error,
      ),
      late,
    ]);
    cancel();
    if (outcome !== 'done')
      this.#log.warn(
        { event: 'node.stop.slow', step, limitMs, error: outcome },
        'a step of stopping failed or took too long',
      );
  }
}
