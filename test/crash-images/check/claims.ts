// What a node had said to others, and when: whatever power loss takes, it must still know that. It is heard while the record
// is read, and looked for in every image by the processes that open them (opener.ts).
import type { Facts } from '../record/load.ts';
import type { NodeRecord, Recording } from '../record/record.ts';
import type { Sent } from '../trace/operations.ts';
import { PeerWordReader, type Said } from '../trace/peer-words.ts';
import { checkImage, type Verdict } from './check-image.ts';
import { checkMember } from './check-member.ts';
import { type Promised, PromiseReader } from './promises.ts';

/** Plain data: it goes from process to process. */
export type Claims =
  | { readonly kind: 'toClients'; readonly id: string; readonly facts: Facts; readonly promised: readonly Promised[] }
  | {
      readonly kind: 'toPeers';
      readonly id: string;
      readonly nodes: readonly Pick<NodeRecord, 'id' | 'peer'>[];
      readonly said: readonly Said[];
    };

export interface Listener {
  hear(sent: Sent): void;
  /** Whole when the record was read to its end. */
  readonly claims: Claims;
}

/** A node on its own: what clients were told. */
export function listenToAnswers({ facts }: Recording, { id, api }: NodeRecord): Listener {
  const reader = new PromiseReader(facts, api);
  const { promised } = reader;
  return { hear: (sent) => reader.hear(sent), claims: { kind: 'toClients', id, facts, promised } };
}

/** A member of a cluster: what its peers were told. What clients are told hangs on a majority, and no directory alone says it. */
export function listenToPeers({ nodes }: Recording, { id }: NodeRecord): Listener & { readonly said: readonly Said[] } {
  const reader = new PeerWordReader();
  const peers = new Set(nodes.map(({ peer }) => peer));
  const said: Said[] = [];
  return {
    said,
    claims: { kind: 'toPeers', id, nodes: nodes.map((node) => ({ id: node.id, peer: node.peer })), said },
    hear(sent) {
      const [from = '', to = ''] = sent.connection.split('->');
      if (peers.has(from) || peers.has(to)) said.push(...reader.read(sent));
    },
  };
}

export interface ImageToOpen {
  readonly dataDir: string;
  /** Everything that had been said before it must be known. */
  readonly place: number;
  /** Wall time of that moment. */
  readonly atMs: number;
}

/** Opens the directory, and looks for everything that had been said by then. */
export function checkClaims(claims: Claims, { dataDir, place, atMs }: ImageToOpen): Promise<Verdict> {
  const isBefore = ({ at }: { readonly at: number }): boolean => at < place;
  if (claims.kind === 'toClients') {
    const { id, facts, promised } = claims;
    return checkImage(dataDir, id, { facts, promised: promised.filter(isBefore), atMs });
  }
  const { id, nodes, said } = claims;
  const members = nodes.map((node) => node.id);
  return checkMember(dataDir, id, members, said.filter(isBefore), (to) => nodes.find(({ peer }) => peer === to)?.id);
}
