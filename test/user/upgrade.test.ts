// From the first build to this one: a directory, and a cluster that serves meanwhile. Nothing is lost, early or repeated.
import { Holdfast } from 'holdfast';
import { expect, test } from 'vitest';
import { ProcessCluster } from '../processes/cluster.ts';

const atOnce = () => ({ at: Date.now() });

test('a directory of the first build is taken over as it is: what is done, what is leased, what waits, and answers to keys', async () => {
  await using cluster = await ProcessCluster.create({ nodes: 1 });
  cluster.start('n1', 'first');
  await cluster.leader();
  await using store = Holdfast.connect({ nodes: cluster.apis });
  const topic = store.topic<string>('reminders');
  const mailer = topic.group('mailer');
  await mailer.put();
  const later = await topic.schedule('later', { at: Date.now() + 3_600_000 }, { idempotencyKey: 'later' });
  const cancelled = await topic.schedule('cancelled', { at: Date.now() + 3_600_000 });
  await topic.cancel(cancelled.id);
  await topic.scheduleBatch(['done', 'leased', 'given back'].map((payload) => ({ payload, when: atOnce() })));
  const received = await mailer.receive({ max: 3, lease: '10m', wait: '10s' });
  expect(received).toHaveLength(3);
  const byPayload = new Map(received.map((delivery) => [delivery.payload, delivery]));
  await mailer.ack(byPayload.get('done')?.receipt ?? '');
  await mailer.nack(byPayload.get('given back')?.receipt ?? '', { delay: 0 });
  await topic.schedule('due meanwhile', { delay: '1s' });
  const { scheduled, cancelled: ended, stored } = await topic.counts();
  await cluster.signal('n1', 'SIGKILL');

  cluster.start('n1');
  await cluster.leader();
  const again = await topic.schedule('later', { at: later.deliverAtMs }, { idempotencyKey: 'later' });
  expect(again).toMatchObject({ id: later.id, repeated: true });
  expect(await topic.counts()).toMatchObject({ scheduled, cancelled: ended, stored });
  expect(await mailer.ack(byPayload.get('leased')?.receipt ?? '')).toMatchObject([{ result: 'ok' }]);
  const rest: string[] = [];
  while (rest.length < 2) {
    const deliveries = await mailer.receive({ max: 10, wait: '10s' });
    for (const { payload, attempt } of deliveries) rest.push(`${payload}, attempt ${attempt}`);
    await mailer.ack(deliveries.map(({ receipt }) => receipt));
  }
  expect(rest.toSorted()).toEqual(['due meanwhile, attempt 1', 'given back, attempt 2']);
  expect(await mailer.receive({ wait: '500ms' })).toEqual([]);
  const listed = [];
  for await (const { id } of topic.list()) listed.push(id);
  expect(listed).toEqual([later.id]);
}, 60_000);
