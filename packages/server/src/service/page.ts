// Pages of messages: bounded in messages and in bytes, since a thousand messages of a mebibyte each are no answer.
import { HoldfastError } from '@holdfast/api';
import type { MessageRow, Position, View } from '@holdfast/store';
import { decodeCursor } from './ids.ts';

export const pageBytes: number = 4 * 1024 * 1024;

/** Rows that are read before the mean size of a row is known. */
const firstStep = 8;
/** Rows that are read at once at most: the mean of those before says nothing about the next one. */
const longestStep = 16;

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Where the next page begins; undefined on the last one. */
  readonly next: Position | undefined;
}

export interface PageRequest {
  readonly after: Position;
  readonly to: Position;
  readonly limit: number;
}

/** Messages in (after, to] in order of position, at least one if there is one, at most `limit` and about `pageBytes`. */
export async function pageOfMessages(view: View, topic: number, request: PageRequest): Promise<Page<MessageRow>> {
  const rows: MessageRow[] = [];
  let bytes = 0;
  let after = request.after;
  while (rows.length < request.limit) {
    const step = Math.min(request.limit - rows.length, stepOf(rows.length, bytes));
    const read = await view.messages(topic, after, request.to, step);
    for (const row of read) {
      rows.push(row);
      bytes += bytesOf(row);
      after = row.position;
      if (bytes >= pageBytes) return { rows, next: after };
    }
    if (read.length < step) return { rows, next: undefined };
  }
  return { rows, next: after };
}

/** As many rows as the rest of the page holds by the mean so far. What is read too much is a step of the largest rows. */
function stepOf(count: number, bytes: number): number {
  if (count === 0) return firstStep;
  const byMean = Math.floor(((pageBytes - bytes) * count) / Math.max(1, bytes));
  return Math.min(longestStep, Math.max(1, byMean));
}

export const bytesOf = (row: MessageRow): number => row.headers.length + row.body.length;

/** @returns where the page before ended, or `first` without a cursor @throws HF_INVALID_REQUEST */
export function cursorPosition(
  cursor: string | undefined,
  place: { readonly epoch: number; readonly topic: number },
  first: Position,
): Position {
  if (cursor === undefined) return first;
  const ref = decodeCursor(cursor);
  if (ref !== undefined && ref.epoch === place.epoch && ref.topic === place.topic) return ref.position;
  throw new HoldfastError('HF_INVALID_REQUEST', {
    fields: [{ path: 'cursor', message: 'is no cursor that a page of this topic ended with' }],
  });
}
