// What a node had said to others at a moment, and so must still know after it.
import type { Recording } from '../record/record.ts';
import type { Sent } from '../trace/operations.ts';
import { PeerWordReader, type Said } from '../trace/peer-words.ts';
import { checkImage, type Verdict } from './check-image.ts';
import { checkMember } from './check-member.ts';
import { PromiseReader } from './promises.ts';

export interface Witness {
  hear(sent: Sent): void;
  /**
   * Opens the directory, and looks for what had been said before `place`.
   *
   * @param atMs wall time of that moment
   */
  check(dataDir: string, place: number, atMs: number): Promise<Verdict>;
}

/** A node on its own: what clients were told. */
export function clientWitness({ facts }: Recording, id: string, api: string): Witness {
  const promises = new PromiseReader(facts, api);
  return {
    hear: (sent) => promises.hear(sent),
    check: (dataDir, place, atMs) => {
      const promised = promises.promised.filter(({ at }) => at < place);
      return checkImage(dataDir, id, { facts, promised, atMs });
    },
  };
}

/** A member of a cluster: what its peers were told. What clients are told hangs on a majority, and no directory alone says it. */
export function peerWitness({ nodes }: Recording, id: string): Witness & { readonly said: readonly Said[] } {
  const reader = new PeerWordReader();
  const peers = new Set(nodes.map(({ peer }) => peer));
  const said: Said[] = [];
  const members = nodes.map((node) => node.id);
  return {
    said,
    hear(sent) {
      const [from = '', to = ''] = sent.connection.split('->');
      if (peers.has(from) || peers.has(to)) said.push(...reader.read(sent));
    },
    check: (dataDir, place) => {
      const before = said.filter(({ at }) => at < place);
      return checkMember(dataDir, id, members, before, (to) => nodes.find(({ peer }) => peer === to)?.id);
    },
  };
}
