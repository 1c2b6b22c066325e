import type { Scheduler } from '@holdfast/scheduler';
import { expect, test } from 'vitest';
import type { MemberLog } from '../member.ts';
import { createIdleLeader } from './idle-leader.ts';
import { createLeadership } from './leadership.ts';

interface Built {
  readonly scheduler: Scheduler;
  serve(): Promise<void>;
  fail(error: Error): Promise<void>;
  isStopped: boolean;
}

function leadershipInTest() {
  const built: Built[] = [];
  const events: string[] = [];
  const faults: unknown[] = [];
  const world = { inDoubt: false, changes: 0, nowMs: 0, stepDowns: 0 };
  const log: MemberLog = {
    info: ({ event }) => void events.push(event),
    warn: ({ event }) => void events.push(event),
    error: ({ event }) => void events.push(event),
  };
  const leadership = createLeadership({
    createScheduler() {
      const scheduler = schedulerInTest();
      built.push(scheduler);
      return scheduler.scheduler;
    },
    inDoubt: () => world.inDoubt,
    idle: createIdleLeader({
      stepDown: () => {
        world.stepDowns += 1;
      },
      patienceMs: 1_200,
      clock: { monotonicMs: () => world.nowMs },
      log,
    }),
    onChange: () => {
      world.changes += 1;
    },
    onFatal: (error) => faults.push(error),
    log,
  });
  return { leadership, built, events, faults, world };
}

/** Only its life is of interest here: it serves when it is told to. */
function schedulerInTest(): Built {
  let settle: { resolve(): void; reject(error: Error): void } = { resolve: () => undefined, reject: () => undefined };
  const started = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  const unused = () => {
    throw new Error('leadership asks this of no scheduler');
  };
  const built: Built = {
    isStopped: false,
    async serve() {
      settle.resolve();
      await started;
    },
    async fail(reason) {
      settle.reject(reason);
      await Promise.allSettled([started]);
    },
    scheduler: {
      start: () => started,
      stop() {
        built.isStopped = true;
        settle.resolve();
      },
      receive: unused,
      backoffMs: unused,
      status: () => ({
        waitingReceives: 0,
        leases: 0,
        oldestLeaseMs: 0,
        rebuildMs: 0,
        windowPositions: 0,
        proposalsInFlight: 0,
        refusals: new Map([['leases', 2]]),
      }),
    },
  };
  return built;
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no item ${index}`);
  return item;
}

test('a leader serves when its scheduler has begun, and not before', async () => {
  const { leadership, built, world } = leadershipInTest();
  leadership.becomeLeader(3);
  expect(leadership.serving()).toBeUndefined();
  const changesBefore = world.changes;
  await at(built, 0).serve();
  expect(leadership.serving()).toMatchObject({ term: 3, scheduler: at(built, 0).scheduler });
  expect(world.changes).toBe(changesBefore + 1);
});

test('a leadership that was lost before its scheduler began never serves', async () => {
  const { leadership, built } = leadershipInTest();
  leadership.becomeLeader(3);
  leadership.loseLeader(3);
  await at(built, 0).serve();
  expect(leadership.serving()).toBeUndefined();
  expect(at(built, 0).isStopped).toBe(true);
});

test('the loss of an older term ends no newer leadership', async () => {
  const { leadership, built } = leadershipInTest();
  leadership.becomeLeader(3);
  leadership.becomeLeader(5);
  leadership.loseLeader(3);
  expect(at(built, 0).isStopped).toBe(true);
  // The first scheduler says that it has started, since it was stopped.
  await at(built, 0).serve();
  expect(leadership.serving()).toBeUndefined();
  await at(built, 1).serve();
  expect(leadership.serving()).toMatchObject({ term: 5 });
});

test('doubt is a function: it ends serving at once, and its end brings it back', async () => {
  const { leadership, built, world } = leadershipInTest();
  leadership.becomeLeader(3);
  await at(built, 0).serve();
  world.inDoubt = true;
  expect(leadership.serving()).toBeUndefined();
  world.inDoubt = false;
  expect(leadership.serving()).toBeDefined();
  expect(built).toHaveLength(1);
});

test('doubt that lasts suspends, and the scheduler is built anew in the same term when a quorum answers', async () => {
  const { leadership, built, events, world } = leadershipInTest();
  leadership.becomeLeader(3);
  await at(built, 0).serve();
  world.inDoubt = true;
  leadership.watch();
  expect(at(built, 0).isStopped).toBe(false);
  leadership.watch();
  expect(at(built, 0).isStopped).toBe(true);
  leadership.watch();
  expect(built).toHaveLength(1);
  world.inDoubt = false;
  leadership.watch();
  expect(built).toHaveLength(2);
  expect(leadership.serving()).toBeUndefined();
  await at(built, 1).serve();
  expect(leadership.serving()).toMatchObject({ term: 3, scheduler: at(built, 1).scheduler });
  expect(events).toEqual(['scheduler.suspended', 'scheduler.resumed']);
});

test('a leader whose scheduler never begins steps down, and asks once', async () => {
  const { leadership, events, world } = leadershipInTest();
  world.nowMs = 50_000;
  leadership.becomeLeader(3);
  for (const afterMs of [0, 1_199]) {
    world.nowMs = 50_000 + afterMs;
    leadership.watch();
  }
  expect(world.stepDowns).toBe(0);
  world.nowMs = 51_200;
  leadership.watch();
  leadership.watch();
  expect(world.stepDowns).toBe(1);
  expect(events).toEqual(['scheduler.stepsDown']);
});

test('each leadership that never serves has twice the time of the one before, and one that serves ends that', async () => {
  const { leadership, built, world } = leadershipInTest();
  const idle = (ms: number): number => {
    leadership.becomeLeader(world.nowMs);
    leadership.watch();
    world.nowMs += ms;
    leadership.watch();
    return world.stepDowns;
  };
  expect([idle(1_200), idle(1_200), idle(2_400), idle(2_400), idle(4_800)]).toEqual([1, 1, 2, 2, 3]);
  for (let i = 0; i < 10; i++) idle(100_000);
  const stepDowns = world.stepDowns;
  expect(idle(32 * 1_200)).toBe(stepDowns + 1);
  await at(built, built.length - 1).serve();
  leadership.watch();
  expect(idle(1_200)).toBe(stepDowns + 2);
});

test('a leader that doubts for too long steps down, also when a quorum answers now and then', async () => {
  const { leadership, built, world } = leadershipInTest();
  leadership.becomeLeader(3);
  await at(built, 0).serve();
  world.nowMs = 90_000;
  leadership.watch();
  world.inDoubt = true;
  leadership.watch();
  leadership.watch();
  world.nowMs += 1_000;
  world.inDoubt = false;
  leadership.watch();
  expect(built, 'it is built anew').toHaveLength(2);
  world.nowMs += 199;
  leadership.watch();
  expect(world.stepDowns).toBe(0);
  world.nowMs += 1;
  leadership.watch();
  expect(world.stepDowns).toBe(1);
});

test('a suspended leadership that is lost is not built anew', () => {
  const { leadership, built, world } = leadershipInTest();
  leadership.becomeLeader(3);
  world.inDoubt = true;
  leadership.watch();
  leadership.watch();
  leadership.loseLeader(3);
  world.inDoubt = false;
  leadership.watch();
  expect(built).toHaveLength(1);
});

test('a scheduler that can not start is a fault of the node', async () => {
  const { leadership, built, faults } = leadershipInTest();
  leadership.becomeLeader(3);
  const broken = new Error('a read failed');
  await at(built, 0).fail(broken);
  expect(faults).toEqual([broken]);
});

test('a stop answers the waiters of the scheduler', async () => {
  const { leadership, built } = leadershipInTest();
  leadership.becomeLeader(3);
  await at(built, 0).serve();
  leadership.stop();
  expect(at(built, 0).isStopped).toBe(true);
  expect(leadership.serving()).toBeUndefined();
});

test('what ended schedulers refused stays counted', () => {
  const { leadership } = leadershipInTest();
  leadership.becomeLeader(3);
  expect(leadership.pastRefusals).toEqual(new Map());
  leadership.loseLeader(3);
  leadership.becomeLeader(4);
  leadership.stop();
  expect(leadership.pastRefusals).toEqual(new Map([['leases', 4]]));
});
