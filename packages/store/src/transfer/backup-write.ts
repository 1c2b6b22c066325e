// An export, written down. Where the bytes go is the caller's business; how fast, too: nothing is read ahead.
import { createHash } from 'node:crypto';
import { encodeHeader, encodePreamble, encodeRecord, encodeTrailer, recordKinds } from './backup-format.ts';
import { encodeRows } from './backup-rows.ts';
import type { StateExport } from './row.ts';

/** Of rows in a record, unless one alone is larger: hashed and sealed in less than a millisecond. */
const recordBytes = 256 * 1024;

/**
 * @param state stays open: whoever took it closes it
 * @param about `createdMs`: ms since the epoch, by the caller's clock
 * @throws CorruptRow when a row is not what was written: a backup of damage would be found only when it is needed
 */
export async function* writeBackup(
  state: StateExport,
  about: { readonly clusterId: string; readonly createdMs: number },
): AsyncGenerator<Uint8Array> {
  const digest = createHash('sha256');
  const sealed = (bytes: Buffer): Buffer => {
    digest.update(bytes);
    return bytes;
  };
  const { applied, activeVersion, epoch, stateHash } = state;
  yield sealed(encodePreamble());
  yield sealed(encodeRecord(recordKinds.header, encodeHeader({ ...about, applied, activeVersion, epoch, stateHash })));
  let rows = 0;
  let after: Uint8Array | undefined;
  for (let done = false; !done; ) {
    const chunk = await state.read(after, recordBytes);
    done = chunk.done;
    rows += chunk.rows.length;
    after = chunk.rows.at(-1)?.key ?? after;
    if (chunk.rows.length > 0) yield sealed(encodeRecord(recordKinds.rows, encodeRows(chunk.rows)));
  }
  yield encodeRecord(recordKinds.trailer, encodeTrailer({ rows, digest: digest.digest() }));
}
