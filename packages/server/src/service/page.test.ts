import { bounds } from '@holdfast/api';
import type { MessageRow, Position, View } from '@holdfast/store';
import { expect, test } from 'vitest';
import { pageBytes, pageOfMessages } from './page.ts';

const request = { after: { fireAtMs: 0, seq: 0 }, to: { fireAtMs: 1, seq: 10_000 }, limit: bounds.messagesPerPage };
const headers = new Uint8Array();

/** A thousand messages of the given sizes, and what was read of them. */
function laneOf(bytesAt: (seq: number) => number) {
  const read = { rows: 0, bytes: 0 };
  const messages = (_topic: number, after: Position, _to: Position, limit: number): Promise<readonly MessageRow[]> => {
    const count = Math.min(limit, 1_000 - after.seq);
    const rows = Array.from({ length: count }, (_, index) => {
      const seq = after.seq + 1 + index;
      return { position: { fireAtMs: 1, seq }, headers, body: { length: bytesAt(seq) } as Uint8Array };
    });
    read.rows += rows.length;
    for (const { body } of rows) read.bytes += body.length;
    return Promise.resolve(rows);
  };
  return { view: { messages } as unknown as View, read };
}

test('small messages in front of large ones do not have a page read more than it holds and a step', async () => {
  const { view, read } = laneOf((seq) => (seq <= 8 ? 1 : bounds.bodyBytes));
  const page = await pageOfMessages(view, 1, request);
  expect(page.rows).toHaveLength(12);
  expect(page.next).toEqual({ fireAtMs: 1, seq: 12 });
  expect(read.bytes).toBeLessThanOrEqual(pageBytes + 16 * bounds.bodyBytes);
});

test('a page of small messages is whole, and goes on where it ended', async () => {
  const { view, read } = laneOf(() => 100);
  const page = await pageOfMessages(view, 1, { ...request, limit: 500 });
  expect(page.rows.map(({ position }) => position.seq)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
  expect(page.next).toEqual({ fireAtMs: 1, seq: 500 });
  expect(read.rows).toBe(500);
  const last = await pageOfMessages(view, 1, { ...request, after: { fireAtMs: 1, seq: 500 } });
  expect(last.rows).toHaveLength(500);
  expect(last.next).toBeUndefined();
});
