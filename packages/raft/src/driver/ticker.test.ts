import { expect, test } from 'vitest';
import { ManualClock } from '../../test/world.ts';
import { Ticker } from './ticker.ts';

function ticker() {
  const clock = new ManualClock();
  const events: string[] = [];
  const onPause = (pausedMs: number) => events.push(`paused ${pausedMs}`);
  const onTick = () => events.push(`tick at ${clock.monotonicMs()}`);
  return { clock, events, ticker: new Ticker({ clock, tickMs: 10, pauseMs: 300, onPause, onTick }) };
}

test('time becomes ticks, and a little delay is made up for', async () => {
  const { clock, events, ticker: it } = ticker();
  it.start();
  await clock.step();
  clock.standStill(14);
  await clock.step();
  await clock.step();
  expect(events).toEqual(['tick at 10', 'tick at 24', 'tick at 30']);
});

test('a late tick counts once, after what waits in the event loop', async () => {
  const { clock, events, ticker: it } = ticker();
  it.start();
  clock.standStill(95);
  const step = clock.step();
  clock.after(0, () => events.push('socket'));
  await step;
  expect(events).toEqual([]);
  await clock.step();
  await clock.step();
  await clock.step();
  expect(events).toEqual(['tick at 95', 'socket', 'tick at 105']);
});

test('standing still for longer than an election is told before the tick', async () => {
  const { clock, events, ticker: it } = ticker();
  it.start();
  clock.standStill(1000);
  await clock.step();
  await clock.step();
  expect(events).toEqual(['paused 990', 'tick at 1000']);
});

test('after a stop there are no ticks, not even the late one', async () => {
  const { clock, events, ticker: it } = ticker();
  it.start();
  clock.standStill(1000);
  await clock.step();
  it.stop();
  await clock.step();
  expect(events).toEqual([]);
});

test('who is told of a pause may stop the ticker', async () => {
  const clock = new ManualClock();
  const events: string[] = [];
  const it = new Ticker({
    clock,
    tickMs: 10,
    pauseMs: 300,
    onPause: () => {
      events.push('paused');
      it.stop();
    },
    onTick: () => events.push('tick'),
  });
  it.start();
  clock.standStill(1000);
  for (let i = 0; i < 5; i++) await clock.step();
  expect(events).toEqual(['paused']);
});
