// Ends of TCP transports on this machine, with what each has heard, and strangers that connect to them.
import { connect, type Socket } from 'node:net';
import type { Message } from '../src/core/message.ts';
import type { Clock } from '../src/driver/clock.ts';
import { systemClock } from '../src/system-clock.ts';
import { createTcpTransport, type TcpOptions, type TcpTransport } from '../src/wire/tcp.ts';
import type { Hello } from '../src/wire/transport.ts';
import { freePort, until } from './real.ts';

export interface End {
  readonly transport: TcpTransport;
  readonly port: number;
  readonly messages: Message[];
  readonly controls: string[];
  readonly ups: Hello[];
  readonly lost: string[];
  activity: number;
  hello: Hello;
  onLost: (evidence: string) => void;
  /** Answers whoever introduces himself as this process. */
  refuses: string | undefined;
}

export const helloOf = (id: string, bootId = `boot of ${id}`): Hello => ({
  clusterId: undefined,
  id,
  members: ['a', 'b'],
  incarnation: `directory of ${id}`,
  bootId,
  lastDurableIndex: 0,
  versions: [1, 2],
});

export interface Stranger {
  readonly socket: Socket;
  readonly isClosed: () => boolean;
  /** All that it was answered. */
  readonly answered: () => Buffer;
}

interface Given extends Partial<Pick<TcpOptions, 'group' | 'security' | 'onFault'>> {
  readonly clock?: Clock;
  readonly hello?: Partial<Hello>;
}

/** Everything that is opened here is closed by `close`. */
export class Ends {
  readonly #toClose: { close(): unknown }[] = [];

  async close(): Promise<void> {
    for (const open of this.#toClose.splice(0)) await open.close();
  }

  closeLater(open: { close(): unknown }): void {
    this.#toClose.push(open);
  }

  async open(id: string, port: number, peers: ReadonlyMap<string, number>, given: Given = {}): Promise<End> {
    const { clock = systemClock, hello, ...options } = given;
    const addresses = new Map([...peers].map(([peer, peerPort]) => [peer, { host: '127.0.0.1', port: peerPort }]));
    const listen = { host: '127.0.0.1', port };
    const transport = createTcpTransport({ id, listen, peers: addresses, clock, random: () => 0.5, ...options });
    const heard = { messages: [], controls: [], ups: [], lost: [], activity: 0 };
    const own = { ...helloOf(id), ...hello };
    const end: End = { transport, port, ...heard, hello: own, refuses: undefined, onLost: () => undefined };
    this.#toClose.push(transport);
    await transport.start(
      {
        onMessage: (message) => end.messages.push(message),
        onControl: (from, bytes) => end.controls.push(`${from}: ${Buffer.from(bytes).toString()}`),
        onBulk: (from, bytes) => end.controls.push(`${from} in bulk: ${Buffer.from(bytes).toString()}`),
        refuses: ({ bootId }) => (bootId === end.refuses ? Buffer.from(`not ${bootId}`) : undefined),
        onPeerUp: (theirs) => end.ups.push(theirs),
        onPeerLost: (peer, evidence) => {
          end.lost.push(`${peer} ${evidence}`);
          end.onLost(evidence);
        },
        onActivity: () => {
          end.activity += 1;
        },
      },
      () => end.hello,
    );
    return end;
  }

  /** Members a and b, connected. */
  async pair(given: { readonly a?: Given; readonly b?: Given } = {}): Promise<readonly [End, End]> {
    const [portA, portB] = [await freePort(), await freePort()];
    const a = await this.open('a', portA, new Map([['b', portB]]), given.a);
    const b = await this.open('b', portB, new Map([['a', portA]]), given.b);
    await until(() => a.transport.connectedPeers().length === 1 && b.transport.connectedPeers().length === 1);
    return [a, b];
  }

  stranger(port: number): Stranger {
    const socket = connect({ host: '127.0.0.1', port });
    let isClosed = false;
    const answered: Buffer[] = [];
    socket.on('data', (chunk) => answered.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      isClosed = true;
    });
    this.#toClose.push({ close: () => socket.destroy() });
    return { socket, isClosed: () => isClosed, answered: () => Buffer.concat(answered) };
  }
}
