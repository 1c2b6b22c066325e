// Where a range of time begins to hold rows. LevelDB's seek walks over everything that was deleted below the first live
// row, 73 to 96 ms over half a million rows: what a scan has found empty, no later scan walks again.
import { comparePositions, origin, type Position } from '../position.ts';

interface Mark {
  /** Nothing stands at or below it, and nothing ever will. */
  readonly position: Position;
  /** The applied index at which that was seen: an older view may still have rows there. */
  readonly appliedIndex: number;
}

export interface Scanned {
  readonly after: Position;
  readonly first: Position | undefined;
  readonly floor: Position;
  readonly appliedIndex: number;
}

const maxMarks = 10_000;

/** In memory only: after a start the first scan of each range walks once. One mark a range. */
export class LowWater {
  readonly #marks = new Map<string, Mark>();

  /** @returns where a scan of (after, ...) has to begin, in a view of that applied index */
  raise(range: string, after: Position, appliedIndex: number): Position {
    const mark = this.#marks.get(range);
    if (mark === undefined || mark.appliedIndex > appliedIndex) return after;
    return comparePositions(mark.position, after) > 0 ? mark.position : after;
  }

  /**
   * A scan began at or below the mark, and this is what it met.
   *
   * @param first the first live row, undefined when there was none up to `floor`
   * @param floor every row that is still to come lands above it
   */
  learn(range: string, scanned: Scanned): void {
    const mark = this.#marks.get(range);
    if (comparePositions(scanned.after, mark?.position ?? origin) > 0) return;
    const { first, floor } = scanned;
    const below = first === undefined ? floor : before(first);
    const position = comparePositions(below, floor) < 0 ? below : floor;
    if (mark !== undefined && comparePositions(position, mark.position) <= 0) return;
    // Groups come and go, their marks only come: starting over costs one walk a range.
    if (this.#marks.size >= maxMarks) this.#marks.clear();
    this.#marks.set(range, { position, appliedIndex: scanned.appliedIndex });
  }
}

function before(position: Position): Position {
  if (position.seq > 0) return { fireAtMs: position.fireAtMs, seq: position.seq - 1 };
  return position.fireAtMs === 0 ? origin : { fireAtMs: position.fireAtMs - 1, seq: 2 ** 48 - 1 };
}
