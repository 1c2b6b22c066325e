// A member that was removed is told so, whatever it missed and whatever the others have forgotten.
import { afterEach, expect, test } from 'vitest';
import { createRaftNode, createTcpTransport, MemoryLog, type RaftNode, systemClock } from '../src/index.ts';
import { Notebook } from './notebook.ts';
import { freePort, until } from './real.ts';
import { timing } from './world.ts';

const nodes: RaftNode<number>[] = [];

afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
});

test('a removed member that runs is told over TCP, and stops', async () => {
  const members = ['a', 'b', 'c'];
  const addresses = new Map<string, string>();
  for (const id of members) addresses.set(id, String(await freePort()));
  const reach = (port: string) => ({ host: '127.0.0.1', port: Number(port) });
  const errors = new Map<string, Error>();
  for (const id of members) {
    const common = { id, members, clock: systemClock, random: Math.random };
    const node = createRaftNode({
      ...common,
      addresses,
      reach,
      timing,
      log: new MemoryLog(common),
      stateMachine: new Notebook(),
      transport: createTcpTransport({ ...common, listen: reach(addresses.get(id) ?? ''), peers: new Map() }),
      owner: {
        entryHeader: () => new Uint8Array(0),
        onLeader: () => undefined,
        onLeaderLost: () => undefined,
        onSample: () => undefined,
        onFatal: (error) => void errors.set(id, error),
      },
    });
    nodes.push(node);
    await node.start();
  }
  const leads = (node: RaftNode<number>): boolean => node.status().role === 'leader';
  await until(() => nodes.some((node) => leads(node) && node.status().commit > 0));
  const leader = nodes.find(leads);
  const removed = nodes.find((node) => !leads(node));
  if (leader === undefined || removed === undefined) throw new Error('there are three');
  const { id } = removed.status();
  await until(() => (leader.status().followers.get(id)?.match ?? 0) > 0);
  expect(await leader.changeMembership({ kind: 'remove', id })).toMatchObject({ kind: 'applied' });
  await until(() => errors.has(id));
  expect(errors.get(id)).toMatchObject({ code: 'HF_REMOVED_MEMBER' });
  expect([...errors.keys()]).toEqual([id]);
});
