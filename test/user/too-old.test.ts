// A build that is too old for its cluster stops with a code, on a directory of the newer version and with one from before.
// Once for the first build beside the present one, once for the present one beside one that has a version more.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { makeFuture } from '../fixtures/future.ts';
import { type Build, ProcessCluster } from '../processes/cluster.ts';
import { root } from '../tidy/sources.ts';

beforeAll(() => makeFuture(root));

async function activeVersion(cluster: ProcessCluster, id: string): Promise<number> {
  const metrics = await (await fetch(`${cluster.api(id)}/metrics`)).text();
  return Number(/^holdfast_active_version (\d+)$/m.exec(metrics)?.[1] ?? 1);
}

/** What it said from its start until it had ended by itself. */
async function lastWords(cluster: ProcessCluster, id: string, build: Build): Promise<string> {
  const before = cluster.log(id).length;
  cluster.start(id, build);
  await cluster.until(`${id} stops by itself`, 60_000, async () => (cluster.running(id) ? undefined : true));
  return cluster.log(id).slice(before);
}

test.each<{
  readonly older: Build;
  readonly newer: Build;
  readonly version: number;
  readonly at: string;
  readonly among: string;
}>([
  // On the directory it can only say that a row is none that it knows.
  { older: 'first', newer: 'present', version: 2, at: 'HF_DIRECTORY_DAMAGED', among: 'HF_LOG_FORMAT' },
  { older: 'present', newer: 'future', version: 3, at: 'HF_BUILD_TOO_OLD', among: 'HF_BUILD_TOO_OLD' },
])(
  'the $older build does not start on a directory of version $version, is not let in with one from before, and says why',
  async ({ older, newer, version, at, among }) => {
    await using cluster = await ProcessCluster.create({ nodes: 3 });
    cluster.startAll(older);
    await cluster.leader(60_000);
    await cluster.caughtUp();
    await cluster.signal('n3', 'SIGTERM');
    const copy = join(cluster.folder, 'copy');
    cpSync(cluster.dataFolder('n3'), copy, { recursive: true });
    cluster.start('n3', newer);
    for (const id of ['n1', 'n2']) {
      await cluster.signal(id, 'SIGTERM');
      cluster.start(id, newer);
      await cluster.caughtUp();
    }
    await cluster.until(`version ${version} is active everywhere`, 60_000, async () => {
      for (const id of cluster.ids) if ((await activeVersion(cluster, id)) !== version) return undefined;
      return true;
    });
    await cluster.signal('n3', 'SIGTERM');
    expect(await lastWords(cluster, 'n3', older)).toContain(`${at}: `);
    rmSync(cluster.dataFolder('n3'), { recursive: true });
    cpSync(copy, cluster.dataFolder('n3'), { recursive: true });
    expect(await lastWords(cluster, 'n3', older)).toContain(`${among}: `);
    // Nothing was wrong with either: the newer build goes on with it.
    cluster.start('n3', newer);
    await cluster.caughtUp();
  },
  240_000,
);
