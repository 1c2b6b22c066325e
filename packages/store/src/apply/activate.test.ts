import { expect, test } from 'vitest';
import { Story, topic } from '../../test/story.ts';
import { newestVersion, openStore, StateTooNew } from '../index.ts';

test('a version is raised, never lowered, and what is beyond the build ends it before anything is written', async () => {
  const story = await Story.open(['g']);
  const { node } = story;
  const activate = (version: number) => node.apply({ kind: 'activate', version });
  expect(node.store.activeVersion).toBe(1);
  expect(await activate(1)).toEqual({ kind: 'activated', version: 1 });
  expect(await activate(newestVersion)).toEqual({ kind: 'activated', version: newestVersion });
  expect(await activate(1)).toEqual({ kind: 'activated', version: newestVersion });
  await expect(activate(newestVersion + 1)).rejects.toMatchObject({ cause: expect.any(StateTooNew) });
  expect(node.store.activeVersion).toBe(newestVersion);
  expect((await openStore({ database: node.database })).activeVersion).toBe(newestVersion);
});

test('the other commands of the entry that raises the version are applied like those before and after', async () => {
  const story = await Story.open(['g']);
  const { node } = story;
  const message = { at: { kind: 'delay', delayMs: 0 }, headers: Buffer.of(), body: Buffer.of() } as const;
  const schedule = { kind: 'schedule', topic: 't', messages: [message], idempotency: undefined } as const;
  await node.entry([schedule, { kind: 'activate', version: 2 }, schedule]);
  expect(node.store.activeVersion).toBe(2);
  const leases = await story.lease(1);
  expect(leases).toHaveLength(2);
  expect(await story.ack(1, ...leases)).toEqual(['ok', 'ok']);
  const view = node.store.view();
  expect(view.topics()).toMatchObject([{ scheduled: 2, delivered: 2 }]);
  expect(view.groups(topic)).toMatchObject([{ acknowledged: 2 }]);
  await view.close();
  expect(await story.check()).toEqual([]);
});
