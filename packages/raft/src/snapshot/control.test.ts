import { expect, test } from 'vitest';
import { parseJson } from '../untrusted-json.ts';
import { maxKeyBytes } from './chunk.ts';
import { encodeSnapshotControl, type SnapshotControl, snapshotControlFrom } from './control.ts';

test.each<SnapshotControl>([
  { kind: 'snapshotOffer', exportId: 7, index: 3, term: 2, configuration: Buffer.from([0, 255, 1]) },
  { kind: 'snapshotFetch', exportId: 7, after: undefined },
  { kind: 'snapshotFetch', exportId: 7, after: Buffer.from([0, 255, 1]) },
  { kind: 'snapshotFetch', exportId: 7, after: Buffer.alloc(0) },
  { kind: 'snapshotGone', exportId: 2 ** 53 - 1 },
  { kind: 'snapshotInstalled', index: 12 },
])('what was said is heard: $kind', (control) => {
  const heard = snapshotControlFrom(parseJson(encodeSnapshotControl(control)));
  expect(heard).toEqual(control);
});

test('nobody is sent the rows behind a key that no row can have', () => {
  const fetch = (length: number) =>
    snapshotControlFrom(
      parseJson(encodeSnapshotControl({ kind: 'snapshotFetch', exportId: 7, after: Buffer.alloc(length) })),
    );
  expect([fetch(maxKeyBytes)?.kind, fetch(maxKeyBytes + 1)]).toEqual(['snapshotFetch', undefined]);
});
