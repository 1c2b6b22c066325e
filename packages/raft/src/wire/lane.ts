// One connection to one peer, for sending only; kept up for as long as the transport lives.
//
// A lane is also where the death of a process shows first: the kernel closes its sockets at once, and the next attempt
// to connect is refused. That takes about a millisecond, where a missing heartbeat takes an election timeout.
import { connect, type Socket } from 'node:net';
import type { NodeId } from '../core/message.ts';
import type { Clock } from '../driver/clock.ts';
import { wireBounds } from './bounds.ts';
import type { Counts } from './counts.ts';
import { encodeFrame, type Frame, type FrameKind, FrameReader } from './frame.ts';
import { decodeWelcome, encodeHandshake, type LaneName, maxHandshakeBytes } from './handshake.ts';
import { Outlet } from './outlet.ts';
import type { Hello } from './transport.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface LaneOptions {
  readonly name: LaneName;
  readonly peer: NodeId;
  readonly address: Address;
  readonly group: number;
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

type State =
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  | { readonly kind: 'connecting'; readonly socket: Socket; readonly cancel: () => void }
  | { readonly kind: 'up'; readonly socket: Socket; readonly outlet: Outlet; readonly version: number }
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
  get version(): number | undefined {
    return this.#state.kind === 'up' ? this.#state.version : undefined;
  }

  open(): void {
    this.#connect();
  }

  close(): void {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    if (state.kind === 'waiting' || state.kind === 'connecting') state.cancel();
    if (state.kind === 'connecting' || state.kind === 'up') state.socket.destroy();
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
    const { outlet, socket } = this.#state;
    if (outlet.isStalled) return this.#lost(socket, 'silent');
    if (!outlet.hasRoomFor(checked.length + restBytes)) return counts.count('dropped.queueFull');
    outlet.write(encodeFrame(kind, group, checked, restBytes), rest);
  }

  #connect(): void {
    const { address, clock, group, peer, name, hello } = this.#options;
    const socket = connect({ host: address.host, port: address.port, noDelay: true, keepAlive: true });
    const cancel = clock.after(wireBounds.connectMs, () => socket.destroy());
    this.#state = { kind: 'connecting', socket, cancel };
    const reader = new FrameReader(group, maxHandshakeBytes);
    let code: string | undefined;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code;
    });
    socket.on('close', () => this.#closed(socket, code));
    socket.on('connect', () => {
      const ours = hello();
      const greeting = encodeHandshake({ version: Math.min(...ours.versions), lane: name, to: peer, hello: ours });
      socket.write(encodeFrame('greeting', group, greeting, 0));
    });
    socket.on('data', (chunk) => this.#read(socket, reader, chunk));
  }

  /** There is news of the peer: earlier failures say nothing any more. */
  #connectAnew(): void {
    this.#retryMs = 0;
    this.#connect();
  }

  #read(socket: Socket, reader: FrameReader, chunk: Buffer): void {
    try {
      for (const frame of reader.read(chunk)) this.#answered(socket, frame);
    } catch {
      this.#options.counts.count('broken.handshake');
      socket.destroy();
    }
  }

  /** The other end speaks once on this connection. */
  #answered(socket: Socket, frame: Frame): void {
    const { counts, peer, clock, hello, onWelcome, onRefused } = this.#options;
    const state = this.#state;
    if (frame.kind === 'refusal' || frame.kind === 'control') {
      counts.count('refusedByPeer');
      this.#retryMs = wireBounds.maxRetryMs;
      socket.destroy();
      return frame.kind === 'control' ? onRefused(frame.body) : undefined;
    }
    const welcome = frame.kind === 'welcome' ? decodeWelcome(frame.body) : undefined;
    if (welcome?.hello.id !== peer || state.kind !== 'connecting' || state.socket !== socket) {
      counts.count('broken.handshake');
      return void socket.destroy();
    }
    if (!hello().versions.includes(welcome.version)) {
      counts.count('refused.version');
      this.#retryMs = wireBounds.maxRetryMs;
      return void socket.destroy();
    }
    if (this.#refused(socket, welcome.hello)) return;
    state.cancel();
    const { version } = welcome;
    this.#state = { kind: 'up', version, socket, outlet: new Outlet(socket, clock, this.#maxQueueBytes) };
    this.#upAtMs = clock.monotonicMs();
    this.#mayBeDead = true;
    counts.count('connects');
    onWelcome(welcome.hello);
  }

  /** It is told why on this connection, which ends with that. */
  #refused(socket: Socket, hello: Hello): boolean {
    const { counts, group, refuses } = this.#options;
    const refusal = refuses(hello);
    if (refusal === undefined) return false;
    counts.count('refused.process');
    this.#retryMs = wireBounds.maxRetryMs;
    socket.end(encodeFrame('control', group, refusal, 0));
    return true;
  }

  #closed(socket: Socket, code: string | undefined): void {
    const state = this.#state;
    if ((state.kind !== 'up' && state.kind !== 'connecting') || state.socket !== socket) return;
    if (state.kind === 'up') return this.#lost(socket, 'reset');
    state.cancel();
    // Before anybody is told, who may close this lane.
    this.#retry();
    if (code !== 'ECONNREFUSED' || !this.#mayBeDead) return;
    this.#mayBeDead = false;
    this.#tell('dead');
  }

  /** Was up, and is not any more: the next attempt, at once, tells whether the process is gone. */
  #lost(socket: Socket, evidence: 'silent' | 'reset'): void {
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
