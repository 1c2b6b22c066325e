/**
 * Whether gets are held against the order of everything else. Not before a leader that lost its office unnoticed is kept
 * from answering them: until then they may be stale, as docs/promises.md says.
 */
export const readsAreLinearizable: boolean = false;
