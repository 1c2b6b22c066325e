// Majorities of one set of voters.

/** How many of `voters` are a majority. */
export function majorityOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** The largest index that a majority has reached; sorts `reached` (one value a voter) in place. */
export function quorumIndex(reached: number[]): number {
  reached.sort((a, b) => b - a);
  return reached[majorityOf(reached.length) - 1] ?? 0;
}
