// An answer that is a stream: as fast as it is read, ended with its reader, and broken off rather than cut short unseen.
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startApp } from '../../test/app.ts';

const pieceBytes = 256 * 1024;

/** A service that gives `count` pieces and tells how many were taken, and whether its caller went away. */
async function streaming(count: number, fails = false) {
  const seen = { taken: 0, gone: false, ended: false };
  const app = await startApp({
    backup: (_request, { signal }) => {
      signal.addEventListener('abort', () => (seen.gone = true));
      return pieces();
    },
  });
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      while (seen.taken < count) {
        seen.taken += 1;
        yield Buffer.alloc(pieceBytes, seen.taken);
      }
      if (fails) throw new Error('the disk is gone');
    } finally {
      seen.ended = true;
    }
  }
  return { app, seen };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('all of it arrives, under its own content type', async () => {
  const { app, seen } = await streaming(5);
  const response = await fetch(`${app.url}/v1/backup`);
  expect(response.headers.get('content-type')).toBe('application/vnd.holdfast.backup');
  const bytes = Buffer.from(await response.arrayBuffer());
  expect([bytes.length, bytes[0], bytes.at(-1)]).toEqual([5 * pieceBytes, 1, 5]);
  expect(seen).toEqual({ taken: 5, gone: false, ended: true });
  expect(app.answered).toEqual(['backup 200']);
  await app.listener.close(1_000);
});

test('a reader that reads nothing is not read ahead for; when it goes, the stream ends', async () => {
  const { app, seen } = await streaming(1_000);
  const socket = connect(app.port, '127.0.0.1', () => socket.write('GET /v1/backup HTTP/1.1\r\nHost: x\r\n\r\n'));
  socket.pause();
  await until(() => seen.taken > 0);
  // Taken until the buffers of both sockets are full, and then no more: not one in many turns of the event loop.
  for (let same = 0, before = 0; same < 50; before = seen.taken) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    same = seen.taken === before ? same + 1 : 0;
  }
  expect(seen.taken).toBeLessThan(100);
  expect([seen.gone, seen.ended]).toEqual([false, false]);
  socket.destroy();
  await until(() => seen.gone && seen.ended);
  await app.listener.close(1_000);
});

test('whoever asks for the head alone begins no stream', async () => {
  const { app, seen } = await streaming(200);
  const response = await fetch(`${app.url}/v1/backup`, { method: 'HEAD' });
  await until(() => seen.taken === 0 || seen.ended);
  expect([response.status, seen]).toEqual([404, { taken: 0, gone: false, ended: false }]);
  await app.listener.close(1_000);
});

test('an error in the middle breaks the connection: what came is not taken for all', async () => {
  const { app } = await streaming(3, true);
  const response = await fetch(`${app.url}/v1/backup`);
  await expect(response.arrayBuffer()).rejects.toThrow();
  await app.listener.close(1_000);
});
