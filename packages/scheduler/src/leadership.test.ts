import { expect, test } from 'vitest';
import { epochMs, World } from '../test/world.ts';

test('a message is delivered when it is due, and not a millisecond before', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  const [position] = await world.schedule('reminders', [500]);
  const waiting = world.receive(group);
  const dueInMs = (position?.fireAtMs ?? 0) - world.stampMs();
  await world.advance(dueInMs - 1);
  expect(waiting.answer).toBeUndefined();
  await world.advance(10);
  expect(waiting.deliveries).toMatchObject([{ ...group, position, attempt: 1, body: Buffer.from('body') }]);
  expect(world.proposed.map(({ kind }) => kind)).toEqual(['begin', 'tick', 'lease']);
  expect(world.lateness[0]).toBeGreaterThanOrEqual(0);
  expect(world.lateness[0]).toBeLessThan(10);
  expect(world.faults).toEqual([]);
});
