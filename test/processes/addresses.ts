// Free loopback ports for nodes that must know each other's before they start.
import { createServer } from 'node:net';

async function listenAnywhere(): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return { port: address.port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** All of them are held until the last is known, so that no two are the same. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const held = [];
  for (let at = 0; at < count; at += 1) held.push(await listenAnywhere());
  for (const { close } of held) await close();
  return held.map(({ port }) => port);
}
