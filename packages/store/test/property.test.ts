// Random work on three of them: a store that is written at once, one whose effects wait in layers and that crashes, and
// the reference. They must never tell anything different.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeCommand, encodeStamp, origin, type Verdict } from '../src/index.ts';
import { Harness } from './harness.ts';
import { concrete, inLane, type Step, steps } from './operations.ts';
import { Reference } from './reference.ts';

const limits = { topics: 2, groupsPerTopic: 3, endedKeepMs: 1_000 };
const farAway = { fireAtMs: 2 ** 47, seq: 0 };

test('any work gets the verdicts of the reference, and leaves the same state with delayed writes and crashes', {
  timeout: 120_000,
}, async () => {
  await fc.assert(fc.asyncProperty(steps, fc.boolean(), runSteps), { numRuns: 30 });
});

/** @param summed the rows are summed from the first one on, so that every check compares the sum with a walk */
async function runSteps(work: readonly Step[], summed: boolean): Promise<void> {
  const reference = new Reference(limits);
  const direct = await Harness.open({ limits });
  const delayed = await Harness.open({ limits, writing: 'later' });
  if (summed) {
    reference.entry(1, direct.stampMs);
    for (const of of [direct, delayed, reference]) await of.apply({ kind: 'activate', version: 2 });
  }
  for (const [number, step] of work.entries()) {
    direct.stampMs += step.aheadMs;
    if (step.newTerm) direct.term += 1;
    delayed.term = direct.term;
    reference.entry(direct.term, step.stamped ? direct.stampMs : undefined);
    const header = step.stamped ? encodeStamp(direct.stampMs) : new Uint8Array();
    const commands: Uint8Array[] = [];
    const expected = step.operations.map((operation) => {
      const command = concrete(operation, reference);
      commands.push(command instanceof Uint8Array ? command : encodeCommand(command));
      return command instanceof Uint8Array ? { kind: 'refused', code: 'undecodable' } : reference.apply(command);
    });
    expect(await direct.raw(commands, header)).toEqual(expected);
    expect(await delayed.raw(commands, header)).toEqual(expected);
    expect(delayed.store.stateHash).toBe(direct.store.stateHash);
    await disturb(delayed, step.disk);
    expect(delayed.store.stateHash).toBe(direct.store.stateHash);
    // A check walks everything, and takes most of the time.
    if (number % 4 === 0) expect(await (number % 8 === 0 ? direct : delayed).store.check()).toEqual([]);
  }
  expect(await direct.store.check()).toEqual([]);
  expect(await delayed.store.check()).toEqual([]);
  await compare(direct, reference);
  await compare(delayed, reference);
}

test('that work meets every verdict that there is', () => {
  const met = new Set<string>();
  for (const work of fc.sample(steps, { seed: 2, numRuns: 4000 })) {
    const reference = new Reference(limits);
    let stampMs = 1_000_000;
    let term = 1;
    for (const step of work) {
      stampMs += step.aheadMs;
      if (step.newTerm) term += 1;
      reference.entry(term, step.stamped ? stampMs : undefined);
      for (const operation of step.operations) {
        const command = concrete(operation, reference);
        if (command instanceof Uint8Array) continue;
        for (const name of namesOf(command.kind, reference.apply(command))) met.add(name);
      }
    }
  }
  expect([...met].sort()).toEqual([...verdictNames].sort());
});

function namesOf(kind: string, verdict: Verdict): readonly string[] {
  if (verdict.kind === 'refused') return [`refused ${verdict.code}`];
  if (verdict.kind === 'answers') return verdict.answers.map((answer) => `${kind} ${answer}`);
  if (verdict.kind === 'extended') return verdict.answers.map(({ answer }) => `${kind} ${answer}`);
  if (verdict.kind === 'leased' && 'leases' in verdict)
    return verdict.leases.map(({ attempt }) => `attempt ${Math.min(attempt, 3)}`);
  return [`${kind} ${verdict.kind}${'repeated' in verdict && verdict.repeated ? ' again' : ''}`];
}

const verdictNames = [
  'begin begun',
  'schedule scheduled',
  'schedule scheduled again',
  'createGroup group',
  'deleteGroup deleting',
  'collect collected',
  'attempt 1',
  'attempt 2',
  'attempt 3',
  ...['ack', 'nack', 'extend', 'release', 'giveBack'].flatMap((kind) =>
    ['ok', 'receiptNotCurrent', 'notFound'].map((answer) => `${kind} ${answer}`),
  ),
  ...['cancelled', 'stopped', 'leased', 'delivered', 'notFound', 'forgotten', 'skipped'].flatMap((kind) => [
    `cancel ${kind}`,
    `cancel ${kind} again`,
  ]),
  ...['topicNotFound', 'groupNotFound', 'topicLimit', 'groupLimit', 'idempotencyKeyReused', 'cursorMoved'].map(
    (code) => `refused ${code}`,
  ),
  'refused graceRunning',
  'activate activated',
];

async function disturb(node: Harness, disk: Step['disk']): Promise<void> {
  if (disk === 'turn' && node.turnsInFlight === 0) node.turn();
  if (disk === 'durable') await node.durable();
  if (disk === 'crash') await node.crash();
}

/** Everything that a view can tell. */
async function compare(node: Harness, reference: Reference): Promise<void> {
  const view = node.store.view();
  expect([view.clockMs, view.seq]).toEqual([reference.clockMs, reference.seq]);
  expect(view.topics().map(({ name }) => name)).toEqual(reference.topics.map(({ name }) => name));
  for (const topic of reference.topics) {
    const ended = (end: string): number => [...topic.messages.values()].filter((message) => message.end === end).length;
    expect(view.topicByName(topic.name)).toEqual({
      number: topic.number,
      name: topic.name,
      scheduled: topic.messages.size,
      cancelled: ended('cancelled'),
      stopped: ended('stopped'),
      delivered: ended('delivered'),
      skipped: ended('skipped'),
    });
    expect(await view.lane(topic.number, origin, farAway, 1_000)).toEqual(inLane(topic));
    const bodies = await view.messages(topic.number, origin, farAway, 1_000);
    expect(bodies.map(({ position, body }) => [position.seq, Buffer.from(body).toString()])).toEqual(
      inLane(topic).map((position) => [position.seq, topic.messages.get(position.seq)?.body]),
    );
    for (const message of topic.messages.values()) {
      if (message.end !== undefined)
        expect(view.fate(topic.number, message.position)).toEqual(reference.fate(topic, message.position));
    }
    expect(view.groups(topic.number).map(({ number }) => number)).toEqual(topic.groups.map(({ number }) => number));
    for (const group of topic.groups) {
      const holds = [...group.holds.values()].sort(
        (a, b) => a.position.fireAtMs - b.position.fireAtMs || a.position.seq - b.position.seq,
      );
      const dead = holds.filter(({ state }) => state === 'dead').length;
      expect(view.groups(topic.number).find(({ number }) => number === group.number)).toEqual({
        topic: topic.number,
        number: group.number,
        name: group.name,
        state: group.deleting ? 'deleting' : 'active',
        start: group.start,
        cursor: group.cursor,
        config: group.config,
        acknowledged: group.acked.size,
        dead,
        outstanding: holds.length - dead,
      });
      expect(await view.holds(topic.number, group.number, origin, 1_000)).toMatchObject(holds);
      const waiting = holds
        .filter(({ state }) => state === 'retry')
        .sort((a, b) => a.retryAtMs - b.retryAtMs || a.retrySeq - b.retrySeq);
      expect(await view.retries(topic.number, group.number, { retryAtMs: 0, retrySeq: 0 }, 1_000)).toEqual(
        waiting.map(({ retryAtMs, retrySeq, position }) => ({ retryAtMs, retrySeq, position })),
      );
    }
  }
  await view.close();
}
