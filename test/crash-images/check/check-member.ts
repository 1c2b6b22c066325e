// The verdict on an image of one member of three: it must know its term, its vote, and every entry that it acknowledged.
import type { Said } from '../trace/peer-words.ts';
import { refusal, type Verdict } from './check-image.ts';
import { openMember } from './open-image.ts';

export async function checkMember(
  dataDir: string,
  id: string,
  members: readonly string[],
  said: readonly Said[],
  nameOf: (address: string) => string | undefined,
): Promise<Verdict> {
  try {
    const { hardState, lastIndex, faults } = await openMember(dataDir, id, members);
    const lost = said.flatMap(({ word, to }) => {
      if (word.term > hardState.term) return [`term ${word.term} was known, and now is ${hardState.term}`];
      // A later term may have cut entries off, and its vote is another one.
      if (word.term < hardState.term) return [];
      if (word.kind === 'appended')
        return word.index > lastIndex ? [`index ${word.index} was acknowledged, and the log ends at ${lastIndex}`] : [];
      const vote = word.kind === 'voteAsked' ? id : nameOf(to);
      return hardState.vote === vote
        ? []
        : [`${vote} had the vote of term ${word.term}, and now ${hardState.vote} has it`];
    });
    return { refused: undefined, lost, holes: faults, checked: said.length };
  } catch (error) {
    return refusal(error, []);
  }
}
