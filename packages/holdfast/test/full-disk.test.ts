// A real node on a real disk of 96 MiB that somebody else fills: a tmpfs in a mount namespace of its own, so that no right
// of this machine is needed. Where the kernel does not allow that to a user (some containers), this is skipped.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { freeBasePort, type Run, runAs, until } from './command.ts';
import { testFolder } from './folders.ts';

const folder = testFolder()('disk');
mkdirSync(folder);
const mount = ['unshare', '--user', '--map-root-user', '--mount'];
const onSmallDisk = ['sh', '-c', 'mount -t tmpfs -o size=96m none "$0" && exec "$@"', folder];
const [program, ...options] = [...mount, ...onSmallDisk, 'true'];
const canMount = spawnSync(program ?? '', options).status === 0;
const why = canMount ? '' : ' (SKIPPED: this kernel lets nobody mount a tmpfs with unshare)';
const mebibyte = 2 ** 20;

let node: Run | undefined;
afterEach(async () => {
  node?.child.kill('SIGKILL');
  await node?.ended;
});

async function call(api: string, method: string, path: string, body?: unknown) {
  const headers = { 'content-type': 'application/json' };
  const init = body === undefined ? { method } : { method, headers, body: JSON.stringify(body) };
  const response = await fetch(`${api}${path}`, init);
  const answer: Answer = Object(await response.json());
  return { status: response.status, retryAfter: response.headers.get('retry-after'), answer };
}

/** The fields that this test goes on with. */
interface Answer {
  readonly code?: string;
  readonly acceptsNew?: boolean;
  readonly messages?: readonly { readonly receipt: string }[];
  readonly results?: readonly { readonly result: string }[];
}

test.skipIf(!canMount)(
  `a disk that fills refuses new messages, takes acks, and at its last byte stops the node${why}`,
  async () => {
    const port = await freeBasePort();
    const api = `http://127.0.0.1:${port}`;
    const limits = [`--min-free-bytes=${40 * mebibyte}`, `--free-margin-bytes=${4 * mebibyte}`];
    const run = runAs(
      [...mount, ...onSmallDisk],
      'start',
      '--listen',
      `127.0.0.1:${port}`,
      '--data-dir',
      join(folder, 'data'),
      ...limits,
    );
    node = run;
    // The disk as the node sees it.
    const disk = join('/proc', String(run.child.pid), 'root', folder);
    const accepts = async () => (await call(api, 'GET', '/v1/cluster')).answer.acceptsNew;
    const ready = () =>
      fetch(`${api}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    const schedule = () => call(api, 'POST', '/v1/topics/t/messages', { delay: 0, body: 'x'.repeat(1_000) });
    const receive = () =>
      call(api, 'POST', '/v1/topics/t/groups/g/receive', {
        max: 1,
        wait: '5s',
        lease: '1h',
        create: { start: 'earliest' },
      });
    const settle = (verb: string, receipt = '', more = {}) =>
      call(api, 'POST', `/v1/topics/t/groups/g/${verb}`, { receipts: [receipt], ...more });
    const fill = async (leaveBytes: number) => {
      const { bavail, bsize } = await statfs(disk);
      const file = await open(join(disk, 'ballast'), 'a');
      for (let left = bavail * bsize - leaveBytes; left > 0; left -= mebibyte) {
        const { bytesWritten } = await file
          .write(Buffer.alloc(Math.min(left, mebibyte)))
          .catch(() => ({ bytesWritten: 0 }));
        if (bytesWritten === 0) break;
      }
      await file.close();
    };

    await until('the node is ready', ready);
    for (let i = 0; i < 3; i += 1) expect((await schedule()).status).toBe(200);
    const first = await receive();
    await fill(30 * mebibyte);
    await until('new messages are refused', async () => (await accepts()) === false);
    const refused = await schedule();
    expect([refused.status, refused.answer.code, refused.retryAfter]).toEqual([507, 'HF_DISK_LOW', '5']);
    expect(await ready()).toBe(true);
    const second = await receive();
    for (const { answer } of [first, second]) {
      const acked = await settle('ack', answer.messages?.[0]?.receipt);
      expect(acked.answer.results).toMatchObject([{ result: 'ok' }]);
    }

    await rm(join(disk, 'ballast'));
    await until('there is room again', async () => (await accepts()) === true);
    expect((await schedule()).status).toBe(200);

    const third = await receive();
    await fill(0);
    const extend = () => settle('extend', third.answer.messages?.[0]?.receipt, { lease: '1h' });
    await until('a write fails, and the node stops', async () => {
      await extend().catch(() => undefined);
      return run.child.exitCode !== null;
    });
    expect(await run.ended).toBe(1);
    expect(run.out()).toMatch(/"event":"node.fatal","code":"HF_DISK_FULL"/);
  },
);
