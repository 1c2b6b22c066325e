// A member that catches up with entries over a link that takes far longer for an append than a disk does.
import { expect, test } from 'vitest';
import type { Message, Transport } from '../src/index.ts';
import { bytes, World } from './world.ts';

const notes = 80;
const padding = 'x'.repeat(250_000);
/** What waits for the link is bounded, as over TCP. */
const maxQueueBytes = 16 * 2 ** 20;
const sizeOf = (message: Message): number =>
  message.kind === 'appendRequest' ? message.entries.reduce((sum, entry) => sum + entry.bytes.length, 0) : 0;

test.each([
  [4_000_000, 25],
  [250_000, 80],
])('over a link of %i bytes a second 20 MB of entries are sent with at most %i MB', async (bytesPerSecond, mostMB) => {
  const world = new World(['a', 'b', 'c']);
  const { clock, network } = world;
  let slow: string | undefined;
  let sent = 0;
  let freeAtMs = 0;
  const transport = network.transport.bind(network);
  network.transport = (id): Transport => {
    const fast = transport(id);
    const send = (message: Message): void => {
      const size = sizeOf(message);
      if (message.to !== slow || size === 0) return fast.send(message);
      const nowMs = clock.monotonicMs();
      freeAtMs = Math.max(freeAtMs, nowMs);
      if (((freeAtMs - nowMs) * bytesPerSecond) / 1_000 + size > maxQueueBytes) return;
      sent += size;
      freeAtMs += (size * 1_000) / bytesPerSecond;
      clock.after(freeAtMs - nowMs, () => fast.send(message));
    };
    return { ...fast, send };
  };
  const members = await world.started();
  const leader = await world.leader(members);
  const away = members.find((member) => member !== leader);
  if (away === undefined) throw new Error('there are three');
  const others = world.ids.filter((id) => id !== away.id);
  for (const id of others) network.cut.add(`${away.id}>${id}`).add(`${id}>${away.id}`);
  for (let note = 0; note < notes; note++) {
    let isApplied = false;
    void leader.node.propose(bytes(`${note} ${padding}`)).then(({ kind }) => (isApplied = kind === 'applied'));
    await clock.until(() => isApplied);
  }
  slow = away.id;
  network.cut.clear();
  for (const id of others) network.connect(away.id, id);
  await clock.until(() => away.machine.notes.length === notes, 1_000_000);
  expect(sent / 1_000_000).toBeLessThan(mostMB);
});
