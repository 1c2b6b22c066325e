import { expect, test } from 'vitest';
import { openOnTestTime, type TestTime } from './open.ts';
import { testClock } from './testing.ts';

test('a node that does not start leaves nothing running on a database that is closed', async () => {
  const time = testClock();
  const failure = new Error('no more timers');
  const waiting = new Set<symbol>();
  let waitingAtClose: number | undefined;
  const failing: TestTime = {
    clock: {
      monotonicMs: () => time.clock.monotonicMs(),
      wallMs: () => time.clock.wallMs(),
      after(delayMs, callback) {
        // The look that a member takes every heartbeat; its raft runs by then.
        if (delayMs === 120_000) throw failure;
        const timer = Symbol();
        // A turn of the event loop is no wait: who asked for it finds that all has ended.
        if (delayMs > 0) waiting.add(timer);
        const cancel = time.clock.after(delayMs, () => {
          waiting.delete(timer);
          callback();
        });
        return () => {
          waiting.delete(timer);
          cancel();
        };
      },
    },
    async openDatabase() {
      const { close, ...opened } = await time.openDatabase();
      return {
        ...opened,
        close: () => {
          waitingAtClose = waiting.size;
          return close();
        },
      };
    },
    runUntil: (holds) => time.runUntil(holds),
    runWhile: (work) => time.runWhile(work),
  };
  await expect(openOnTestTime(failing)).rejects.toBe(failure);
  expect(waitingAtClose).toBe(0);
});
