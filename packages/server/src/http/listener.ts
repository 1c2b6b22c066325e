// Listens, and closes in order: no new connection, then those who wait get their answer, then every connection ends. Node's
// own close waits for connections on which nothing was ever sent, and browsers and HTTP clients open such ones in advance.
import type { Server } from 'node:http';
import { type Address, addressText } from '../config.ts';
import type { MemberLog } from '../member.ts';
import { StartError } from '../start-error.ts';
import type { App } from './app.ts';
import { httpLimits } from './limits.ts';

export interface Listener {
  /** Where it really listens: the port when 0 was asked for. */
  readonly address: Address;
  connections(): number;
  /** Refused because there were as many as are allowed. */
  readonly dropped: number;
  /** Requests on connections that are open already still reach the service, which says that it is stopping. */
  stopAccepting(): void;
  /** Waits for the answers under way, `limitMs` at most, then closes what is left. */
  close(limitMs: number): Promise<void>;
}

const logEveryMs = 60_000;

/** @throws StartError HF_API_PORT */
export async function listen({ fastify, inProgress }: App, { host, port }: Address, log: MemberLog): Promise<Listener> {
  const { server } = fastify;
  let dropped = 0;
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  server.on('drop', () => {
    dropped += 1;
    if (performance.now() - loggedAtMs < logEveryMs) return;
    loggedAtMs = performance.now();
    log.warn({ event: 'http.connections', allowed: httpLimits.connections }, 'connections are refused');
  });
  let open = 0;
  server.on('connection', (socket) => {
    open += 1;
    socket.once('close', () => (open -= 1));
  });
  await fastify.listen({ host, port }).catch((error: unknown) => {
    const because = error instanceof Error ? error.message : String(error);
    throw new StartError('HF_API_PORT', `${addressText({ host, port })}: ${because}.`, { cause: error });
  });
  let closed: Promise<void> | undefined;
  const stopAccepting = () => (closed ??= fastify.close().then(() => undefined));
  return {
    address: { host, port: portOf(server, port) },
    connections: () => open,
    get dropped() {
      return dropped;
    },
    stopAccepting: () => void stopAccepting(),
    async close(limitMs) {
      const ended = stopAccepting();
      await Promise.race([inProgress.none(), after(limitMs)]);
      server.closeAllConnections();
      await ended;
    },
  };
}

function portOf(server: Server, asked: number): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : asked;
}

function after(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs).unref());
}
