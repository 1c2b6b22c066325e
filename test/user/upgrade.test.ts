// From the first build to this one: a directory, and a cluster that serves meanwhile. Nothing is lost, early or repeated.
import { Holdfast } from 'holdfast';
import { expect, test } from 'vitest';
import { Deliveries } from '../measure/deliveries.ts';
import { ProcessCluster } from '../processes/cluster.ts';

const atOnce = () => ({ at: Date.now() });

test('a directory of the first build is taken over as it is: what is done, what is leased, what waits, and answers to keys', async () => {
  await using cluster = await ProcessCluster.create({ nodes: 1 });
  cluster.start('n1', 'first');
  await cluster.leader(60_000);
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
  await cluster.leader(60_000);
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
}, 180_000);

/** What a leader change looks like to a client, which repeats it: everything else is a request that was refused. */
const leaderChange: readonly string[] = ['HF_NO_LEADER', 'HF_STOPPING', 'HF_OUTCOME_UNKNOWN'];

async function activeVersion(cluster: ProcessCluster, id: string): Promise<number> {
  const metrics = await (await fetch(`${cluster.api(id)}/metrics`)).text();
  // The first build has no such figure.
  return Number(/^holdfast_active_version (\d+)$/m.exec(metrics)?.[1] ?? 1);
}

async function transferAnswers(cluster: ProcessCluster, id: string): Promise<unknown> {
  const response = await fetch(`${cluster.api(id)}/v1/cluster/transfer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  const { code, kind } = (await response.json()) as Readonly<Record<string, unknown>>;
  return code ?? kind;
}

test('three nodes are upgraded one by one under load: nothing is lost, early, repeated or refused', async () => {
  await using cluster = await ProcessCluster.create({ nodes: 3 });
  cluster.startAll('first');
  await cluster.leader(60_000);
  await using store = Holdfast.connect({ nodes: cluster.apis });
  const topic = store.topic<{ number: number }>('reminders');
  const deliveries = new Deliveries();
  const mailer = topic.group('mailer');
  await mailer.put();
  const over = new AbortController();
  const dueMs = new Map<number, number>();
  const produce = async () => {
    while (!over.signal.aborted) {
      const number = dueMs.size;
      const atMs = Date.now() + (number % 40) * 100;
      dueMs.set(number, atMs);
      deliveries.acknowledged(number, atMs);
      await topic.schedule({ number }, { at: atMs });
    }
  };
  const consume = async () => {
    while (!over.signal.aborted || deliveries.arrived < dueMs.size) {
      const received = await mailer.receive({ max: 20, wait: '500ms', lease: '2m' });
      for (const { payload } of received) deliveries.delivered(payload.number, Date.now());
      const results = await mailer.ack(received.map(({ receipt }) => receipt));
      expect(results.every(({ result }) => result === 'ok')).toBe(true);
    }
  };
  const work = Promise.all([produce(), produce(), consume(), consume()]);
  const { id: witness } = await topic.schedule({ number: -1 }, { delay: '1h' });
  const upgraded = new Set<string>();
  for (const id of cluster.ids) {
    for (const any of cluster.ids) expect(await activeVersion(cluster, any)).toBe(1);
    await cluster.signal(id, 'SIGTERM');
    cluster.start(id);
    upgraded.add(id);
    await cluster.caughtUp();
    if (upgraded.size === cluster.ids.length) break;
    // What all must understand is refused, or done as the first build does it, whoever leads.
    for (const any of cluster.ids) {
      const isOld = !upgraded.has(any);
      expect(await transferAnswers(cluster, any)).toBe(isOld ? 'HF_ROUTE_NOT_FOUND' : 'HF_MEMBERS_VERSION');
      const read = `${cluster.api(any)}/v1/topics/reminders/messages/${witness}`;
      expect((await fetch(isOld ? read : `${read}?stale=false`)).status).toBe(200);
    }
  }
  await cluster.until('the active version is 2 everywhere', 10_000, async () => {
    for (const id of cluster.ids) if ((await activeVersion(cluster, id)) !== 2) return undefined;
    return true;
  });
  over.abort();
  await work;
  expect(await transferAnswers(cluster, 'n1')).toBe('started');
  await cluster.leader(60_000);
  expect(dueMs.size).toBeGreaterThan(100);
  expect(deliveries.counts()).toEqual({ lost: 0, early: 0, repeated: 0, unexpected: 0 });
  const { refusals, gaveUp } = store.counters();
  expect([...refusals.keys()].filter((code) => !leaderChange.includes(code))).toEqual([]);
  expect(gaveUp).toBe(0);
}, 240_000);
