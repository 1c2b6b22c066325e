// One direction of one connection between two nodes: bytes pass, or stand still. A cut is silence, not a reset: the
// sender's packets are not answered, as when a cable is pulled.
import { createConnection, createServer, type Server, type Socket } from 'node:net';

export class Link {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #cut = false;

  private constructor(server: Server, port: number, toPort: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (from) => this.#join(from, toPort));
  }

  static async open(toPort: number): Promise<Link> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    return new Link(server, address.port, toPort);
  }

  cut(): void {
    this.#cut = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** What stood still is dropped with its connections, as after a long cut; the nodes connect anew. */
  heal(): void {
    if (!this.#cut) return;
    this.#cut = false;
    this.#destroyAll();
  }

  async close(): Promise<void> {
    this.#cut = false;
    this.#destroyAll();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #destroyAll(): void {
    const pairs = [...this.#pairs];
    this.#pairs.clear();
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  }

  #join(from: Socket, toPort: number): void {
    const to = createConnection({ host: '127.0.0.1', port: toPort, noDelay: true });
    from.setNoDelay(true);
    const pair = [from, to] as const;
    this.#pairs.add(pair);
    const end = () => {
      // The end of a process is news at once, unless the cable is pulled: then it is news when the cut is healed.
      if (this.#cut) return;
      this.#pairs.delete(pair);
      from.resetAndDestroy();
      to.resetAndDestroy();
    };
    for (const [source, target] of [
      [from, to],
      [to, from],
    ] as const) {
      source.on('data', (bytes) => {
        if (!target.write(bytes)) source.pause();
      });
      target.on('drain', () => {
        if (!this.#cut) source.resume();
      });
      source.on('error', () => {});
      source.on('close', end);
    }
    if (this.#cut) for (const socket of pair) socket.pause();
  }
}
