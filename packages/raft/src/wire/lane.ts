// One connection to one peer, for sending only; kept up for as long as the transport lives.
//
// A lane is also where the death of a process shows first: the kernel closes its sockets at once, and the next attempt
// to connect is refused. That takes about a millisecond, where a missing heartbeat takes an election timeout.
import type { Socket } from 'node:net';
import type { NodeId } from '../core/message.ts';
import type { Clock } from '../driver/clock.ts';
import type { ProtocolVersion } from '../versions.ts';
import { wireBounds } from './bounds.ts';
import type { Counts } from './counts.ts';
import { BrokenFrame, encodeFrame, encodeParts, type Frame, type FrameKind, FrameReader } from './frame.ts';
import { agreedVersion, decodeWelcome, encodeHandshake, type LaneName, maxHandshakeBytes } from './handshake.ts';
import { Outlet } from './outlet.ts';
import { tlsFaultOf } from './security/certificate.ts';
import { dial } from './security/dial.ts';
import { encodeHail, SecretSession } from './security/secret.ts';
import type { ReadySecurity } from './security/security.ts';
import type { Address, Hello } from './transport.ts';

export interface LaneOptions {
  readonly name: LaneName;
  readonly peer: NodeId;
  readonly address: Address;
  readonly group: number;
  readonly security: ReadySecurity;
  readonly clock: Clock;
  readonly random: () => number;
  readonly counts: Counts;
  readonly hello: () => Hello;
  /** Asked before `onWelcome`: the control bytes that end this connection, or undefined. */
  readonly refuses: (hello: Hello) => Uint8Array | undefined;
  /** The other end refuses this process, and says why. */
  readonly onRefused: (control: Uint8Array) => void;
  readonly onWelcome: (hello: Hello) => void;
  readonly onLost: (evidence: 'silent' | 'reset' | 'dead') => void;
}

/** One attempt, and what has come of it. */
interface Link {
  readonly socket: Socket;
  readonly reader: FrameReader;
  /** Sent, where a secret is to be shown. */
  hail: Uint8Array | undefined;
  /** Of that secret, from the other end's challenge on. */
  session: SecretSession | undefined;
  /** Something was said, and nothing answered. */
  isUnanswered: boolean;
}

type State =
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  | { readonly kind: 'connecting'; readonly link: Link; readonly cancel: () => void }
  | { readonly kind: 'up'; readonly link: Link; readonly outlet: Outlet; readonly version: ProtocolVersion }
  | { readonly kind: 'closed' };

export class Lane {
  readonly #options: LaneOptions;
  readonly #maxQueueBytes: number;
  #state: State = { kind: 'closed' };
  #retryMs = 0;
  /** It was up, and nothing was learned of the other process since. */
  #mayBeDead = false;
  #upAtMs = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#maxQueueBytes = options.name === 'bulk' ? wireBounds.maxBulkQueueBytes : wireBounds.maxControlQueueBytes;
  }

  get isUp(): boolean {
    return this.#state.kind === 'up';
  }

  /** Of the protocol, agreed on with the other end; undefined while the lane is down. */
  get version(): ProtocolVersion | undefined {
    return this.#state.kind === 'up' ? this.#state.version : undefined;
  }

  open(): void {
    this.#connect();
  }

  close(): void {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    if (state.kind === 'waiting' || state.kind === 'connecting') state.cancel();
    if (state.kind === 'connecting' || state.kind === 'up') state.link.socket.destroy();
  }

  /** The peer has just been heard: do not wait for the next attempt. */
  hurry(): void {
    if (this.#state.kind !== 'waiting') return;
    this.#state.cancel();
    this.#connectAnew();
  }

  /** Sends a frame: its checked part, then the rest as it is. Drops it when the lane is down or full. */
  send(kind: FrameKind, checked: Uint8Array, rest: readonly Uint8Array[], restBytes: number): void {
    const { counts, group } = this.#options;
    if (this.#state.kind !== 'up') return counts.count('dropped.notConnected');
    const { outlet, link } = this.#state;
    if (outlet.isStalled) return this.#lost(link, 'silent');
    if (!outlet.hasRoomFor(checked.length + restBytes)) return counts.count('dropped.queueFull');
    const [head, ...parts] = encodeParts(link.session, kind, group, checked, rest, restBytes);
    outlet.write(head, parts);
  }

  #connect(): void {
    const { address, clock, group, peer, security } = this.#options;
    const { socket, readyEvent } = dial(address, peer, security);
    const cancel = clock.after(wireBounds.connectMs, () => socket.destroy());
    const link: Link = {
      socket,
      reader: new FrameReader(group, maxHandshakeBytes),
      hail: undefined,
      session: undefined,
      isUnanswered: false,
    };
    this.#state = { kind: 'connecting', link, cancel };
    let code: string | undefined;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code;
    });
    socket.on('close', () => this.#closed(link, code));
    socket.on(readyEvent, () => (security.kind === 'secret' ? this.#hail(link) : this.#greet(link)));
    socket.on('data', (chunk) => this.#read(link, chunk));
  }

  #hail(link: Link): void {
    const { group, peer, name, hello } = this.#options;
    link.hail = encodeHail({ from: hello().id, to: peer, lane: name });
    link.isUnanswered = true;
    link.socket.write(encodeFrame('hail', group, link.hail, 0));
  }

  #greet(link: Link): void {
    const { socket, session } = link;
    const { group, peer, name, hello } = this.#options;
    const ours = hello();
    const greeting = encodeHandshake({ version: Math.min(...ours.versions), lane: name, to: peer, hello: ours });
    for (const part of encodeParts(session, 'greeting', group, greeting)) socket.write(part);
    link.isUnanswered = true;
  }

  /** There is news of the peer: earlier failures say nothing any more. */
  #connectAnew(): void {
    this.#retryMs = 0;
    this.#connect();
  }

  #read(link: Link, chunk: Buffer): void {
    const { counts, peer } = this.#options;
    try {
      for (const frame of link.reader.read(chunk)) this.#answered(link, frame);
    } catch (error) {
      if (!(error instanceof BrokenFrame)) throw error;
      // Sealed by nobody who knows the secret, or by this member's refusal to believe that we do.
      counts.fault(error.reason === 'seal' ? 'broken.seal' : 'broken.handshake', peer);
      link.isUnanswered = false;
      link.socket.destroy();
    }
  }

  /** The other end speaks once on this connection, and once more before where there is a secret. */
  #answered(link: Link, frame: Frame): void {
    const { security } = this.#options;
    const state = this.#state;
    if (state.kind === 'up' && state.link === link) return this.#broken(link);
    if (state.kind !== 'connecting' || state.link !== link) return void link.socket.destroy();
    link.isUnanswered = false;
    const isProven = security.kind !== 'secret' || link.session !== undefined;
    if (frame.kind === 'refusal') return this.#refusedByPeer(link);
    if (!isProven) return this.#challenged(link, frame, security.secret);
    if (frame.kind === 'control') {
      this.#refusedByPeer(link);
      return this.#options.onRefused(frame.body);
    }
    this.#welcomed(link, frame, state.cancel);
  }

  #challenged(link: Link, { kind, body }: Frame, secret: string): void {
    if (kind !== 'challenge' || link.hail === undefined) return this.#broken(link);
    link.session = SecretSession.dialled(secret, link.hail, body);
    link.reader.seal = link.session;
    this.#greet(link);
  }

  #welcomed(link: Link, { kind, body }: Frame, cancelDeadline: () => void): void {
    const { counts, peer, clock, hello, onWelcome } = this.#options;
    const welcome = kind === 'welcome' ? decodeWelcome(body) : undefined;
    if (welcome?.hello.id !== peer) return this.#broken(link);
    const version = agreedVersion(hello().versions, [welcome.version]);
    if (version === undefined) {
      counts.fault('refused.version', peer);
      this.#retryMs = wireBounds.maxRetryMs;
      return void link.socket.destroy();
    }
    if (this.#refused(link, welcome.hello)) return;
    cancelDeadline();
    this.#state = { kind: 'up', version, link, outlet: new Outlet(link.socket, clock, this.#maxQueueBytes) };
    this.#upAtMs = clock.monotonicMs();
    this.#mayBeDead = true;
    counts.count('connects');
    onWelcome(welcome.hello);
  }

  /** It is told why on this connection, which ends with that. */
  #refused({ socket, session }: Link, hello: Hello): boolean {
    const { counts, group, refuses } = this.#options;
    const refusal = refuses(hello);
    if (refusal === undefined) return false;
    counts.count('refused.process');
    this.#retryMs = wireBounds.maxRetryMs;
    for (const part of encodeParts(session, 'control', group, refusal)) socket.write(part);
    socket.end();
    return true;
  }

  #refusedByPeer({ socket }: Link): void {
    this.#options.counts.count('refusedByPeer');
    this.#retryMs = wireBounds.maxRetryMs;
    socket.destroy();
  }

  #broken({ socket }: Link): void {
    const { counts, peer } = this.#options;
    counts.fault('broken.handshake', peer);
    socket.destroy();
  }

  #closed(link: Link, code: string | undefined): void {
    const { counts, peer, security } = this.#options;
    const state = this.#state;
    if ((state.kind !== 'up' && state.kind !== 'connecting') || state.link !== link) return;
    if (state.kind === 'up') return this.#lost(link, 'reset');
    state.cancel();
    const fault = security.kind === 'tls' && code !== undefined ? tlsFaultOf(code) : undefined;
    if (fault !== undefined) counts.fault(`tls.${fault}`, peer);
    else if (link.isUnanswered) counts.fault('unanswered', peer);
    // Before anybody is told, who may close this lane.
    this.#retry();
    if (code !== 'ECONNREFUSED' || !this.#mayBeDead) return;
    this.#mayBeDead = false;
    this.#tell('dead');
  }

  /** Was up, and is not any more: the next attempt, at once, tells whether the process is gone. */
  #lost({ socket }: Link, evidence: 'silent' | 'reset'): void {
    // Two processes under one name take each other's place without end; they must not do it at full speed.
    const lastedMs = this.#options.clock.monotonicMs() - this.#upAtMs;
    if (lastedMs < wireBounds.settledMs) this.#retry();
    else this.#connectAnew();
    socket.destroy();
    this.#tell(evidence);
  }

  #tell(evidence: 'silent' | 'reset' | 'dead'): void {
    this.#options.counts.count(`lost.${evidence}`);
    this.#options.onLost(evidence);
  }

  #retry(): void {
    const { clock, random } = this.#options;
    this.#retryMs = Math.min(Math.max(this.#retryMs * 2, wireBounds.minRetryMs), wireBounds.maxRetryMs);
    const delayMs = this.#retryMs * (0.5 + random() / 2);
    this.#state = { kind: 'waiting', cancel: clock.after(delayMs, () => this.#connect()) };
  }
}
