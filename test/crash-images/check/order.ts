// Nothing that binds a node leaves it before the sync that covers it: each vote and each acknowledgement of entries, against
// what its log on the disk said at the moment when the bytes could leave.
import type { Said } from '../trace/peer-words.ts';
import type { TurnOnDisk } from '../trace/turns.ts';

export interface OrderResult {
  readonly votes: number;
  readonly acknowledgements: number;
  readonly faults: readonly string[];
}

/**
 * @param turns in the order in which they became durable
 * @param nameOf whose peer port an address is
 */
export function checkOrder(
  id: string,
  said: readonly Said[],
  turns: readonly TurnOnDisk[],
  nameOf: (address: string) => string | undefined,
): OrderResult {
  const faults: string[] = [];
  let votes = 0;
  let acknowledgements = 0;
  let at = 0;
  let disk: TurnOnDisk | undefined;
  for (const { word, to, at: place } of said) {
    for (let next = turns[at]; next !== undefined && next.from < place; next = turns[++at]) disk = next;
    const stands = `place ${place}: ${id} has term ${disk?.term}, vote "${disk?.vote}", last index ${disk?.lastIndex} on disk, and`;
    const isLater = disk !== undefined && disk.term > word.term;
    if (word.kind === 'appended') {
      acknowledgements++;
      if (disk === undefined || disk.term < word.term || (!isLater && disk.lastIndex < word.index))
        faults.push(`${stands} acknowledges index ${word.index} in term ${word.term}`);
      continue;
    }
    votes++;
    const vote = word.kind === 'voteAsked' ? id : nameOf(to);
    if (!isLater && (disk?.term !== word.term || disk.vote !== vote))
      faults.push(`${stands} ${word.kind} of term ${word.term} goes to ${to}`);
  }
  return { votes, acknowledgements, faults };
}
