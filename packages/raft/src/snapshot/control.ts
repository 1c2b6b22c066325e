// What two members say to each other about a snapshot. The one that needs it asks, piece by piece, so it decides how
// fast it gets them, and goes on where it was when an answer is lost.
//
//   leader -> member   snapshotOffer       there is a state at this index, ask for it
//   member -> leader   snapshotFetch       the rows behind this key, please; the answer comes on the lane for bulk (chunk.ts)
//   leader -> member   snapshotGone        there is no such export (any more); an offer follows if one is needed
//   member -> leader   snapshotInstalled   everything up to this index is here, send what follows
import { isObject } from '../untrusted-json.ts';
import { maxKeyBytes } from './chunk.ts';

export interface SnapshotOffer {
  readonly kind: 'snapshotOffer';
  readonly exportId: number;
  readonly index: number;
  readonly term: number;
  /** In force at `index`, encoded as in an entry. */
  readonly configuration: Uint8Array;
}

export interface SnapshotFetch {
  readonly kind: 'snapshotFetch';
  readonly exportId: number;
  /** Undefined: from the first row on. */
  readonly after: Uint8Array | undefined;
}

export interface SnapshotGone {
  readonly kind: 'snapshotGone';
  readonly exportId: number;
}

export interface SnapshotInstalled {
  readonly kind: 'snapshotInstalled';
  readonly index: number;
}

export type SnapshotControl = SnapshotOffer | SnapshotFetch | SnapshotGone | SnapshotInstalled;

const kinds: readonly string[] = [
  'snapshotOffer',
  'snapshotFetch',
  'snapshotGone',
  'snapshotInstalled',
] satisfies readonly SnapshotControl['kind'][];

export function isSnapshotKind(kind: unknown): boolean {
  return typeof kind === 'string' && kinds.includes(kind);
}

export function encodeSnapshotControl(control: SnapshotControl): Uint8Array {
  return Buffer.from(JSON.stringify(jsonOf(control)));
}

function jsonOf(control: SnapshotControl): object {
  switch (control.kind) {
    case 'snapshotOffer':
      return { ...control, configuration: textOf(control.configuration) };
    case 'snapshotFetch':
      return { ...control, after: control.after === undefined ? undefined : textOf(control.after) };
    case 'snapshotGone':
    case 'snapshotInstalled':
      return control;
    default:
      return control satisfies never;
  }
}

/** What a parsed control message says about snapshots, or undefined when it says nothing that this version knows. */
export function snapshotControlFrom(value: unknown): SnapshotControl | undefined {
  if (!isObject(value)) return undefined;
  const { kind, exportId, index, term, configuration, after } = value;
  switch (kind) {
    case 'snapshotOffer': {
      const decoded = bytesFrom(configuration);
      if (!isCount(exportId) || !isCount(index) || !isCount(term) || decoded === undefined) return undefined;
      return index > 0 && term > 0 ? { kind, exportId, index, term, configuration: decoded } : undefined;
    }
    case 'snapshotFetch': {
      const key = after === undefined ? undefined : bytesFrom(after);
      if (!isCount(exportId) || (after !== undefined && key === undefined)) return undefined;
      if (key !== undefined && key.length > maxKeyBytes) return undefined;
      return { kind, exportId, after: key };
    }
    case 'snapshotGone':
      return isCount(exportId) ? { kind, exportId } : undefined;
    case 'snapshotInstalled':
      return isCount(index) ? { kind, index } : undefined;
    default:
      return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && typeof value === 'number' && value >= 0;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function bytesFrom(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' ? Buffer.from(value, 'base64') : undefined;
}
