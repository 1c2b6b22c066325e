import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { ManualClock } from '../../test/world.ts';
import { wireBounds } from './bounds.ts';
import { Outlet } from './outlet.ts';

/** A link that takes what it is handed at once when `take` is called, as a kernel does that reports no part of a write. */
class Link extends Writable {
  readonly taken: Buffer[] = [];
  #waiting: { readonly bytes: Buffer; readonly done: () => void } | undefined;

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#waiting = { bytes: chunk, done };
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this.#waiting = { bytes: Buffer.concat(chunks.map(({ chunk }) => chunk)), done };
  }

  /** The next write is over. False when there is none. */
  async take(): Promise<boolean> {
    await new Promise((resolve) => void setImmediate(resolve));
    const waiting = this.#waiting;
    if (waiting === undefined) return false;
    this.#waiting = undefined;
    this.taken.push(waiting.bytes);
    waiting.done();
    await new Promise((resolve) => void setImmediate(resolve));
    return true;
  }
}

function outlet() {
  const clock = new ManualClock();
  const link = new Link();
  return { clock, link, outlet: new Outlet(link, clock, wireBounds.maxBulkQueueBytes) };
}

const large = Buffer.alloc(8 * 2 ** 20, 'the largest append ');

test('a link that is slow but moves is not stalled, however much it is given at once', async () => {
  const { clock, link, outlet: it } = outlet();
  it.write(Buffer.from('head'), [large.subarray(0, 5 * 2 ** 20), large.subarray(5 * 2 ** 20)]);
  expect(it.hasRoomFor(large.length)).toBe(false);
  do {
    clock.standStill(wireBounds.stallMs);
    expect(it.isStalled).toBe(false);
  } while (await link.take());
  expect(Math.max(...link.taken.map(({ length }) => length))).toBe(64 * 2 ** 10);
  expect(Buffer.concat(link.taken).equals(Buffer.concat([Buffer.from('head'), large]))).toBe(true);
  clock.standStill(wireBounds.stallMs + 1);
  expect(it.isStalled, 'nothing waits').toBe(false);
  expect(it.hasRoomFor(wireBounds.maxBulkQueueBytes)).toBe(true);
});

test('a link that takes nothing is stalled', async () => {
  const { clock, link, outlet: it } = outlet();
  it.write(large, []);
  await link.take();
  clock.standStill(wireBounds.stallMs);
  expect(it.isStalled).toBe(false);
  clock.standStill(1);
  expect(it.isStalled).toBe(true);
});

test('many small frames leave in one write, and those that come meanwhile in the next', async () => {
  const { link, outlet: it } = outlet();
  const frames = (count: number): void => {
    for (let i = 0; i < count; i++) it.write(Buffer.from('head'), [Buffer.from('body')]);
  };
  frames(1000);
  await new Promise((resolve) => void setImmediate(resolve));
  frames(2000);
  while (await link.take());
  expect(link.taken.map(({ length }) => length)).toEqual([8_000, 16_000]);
});
