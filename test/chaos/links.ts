// The network between the nodes of a cluster: one link for each ordered pair, so that every direction can be cut by itself.
import { Link } from './proxy.ts';

/** A node's name, and where its peer port really is. */
export interface LinkedNode {
  readonly id: string;
  readonly peer: string;
}

type Which = (from: string, to: string) => boolean;

interface Pair {
  readonly from: string;
  readonly to: string;
  readonly link: Link;
}

export class Links {
  readonly #links: readonly Pair[];

  private constructor(links: readonly Pair[]) {
    this.#links = links;
  }

  static async between(nodes: readonly LinkedNode[]): Promise<Links> {
    const links: Pair[] = [];
    for (const { id: from } of nodes) {
      for (const { id: to, peer } of nodes) {
        if (from !== to) links.push({ from, to, link: await Link.open(Number(peer.split(':')[1])) });
      }
    }
    return new Links(links);
  }

  /** Where `from` reaches `to`: host:port. */
  address(from: string, to: string): string {
    const found = this.#links.find((one) => one.from === from && one.to === to);
    if (found === undefined) throw new Error(`no link from ${from} to ${to}`);
    return `127.0.0.1:${found.link.port}`;
  }

  cut(which: Which): void {
    for (const { from, to, link } of this.#links) if (which(from, to)) link.cut();
  }
  healAll(): void {
    for (const { link } of this.#links) link.heal();
  }
  async close(): Promise<void> {
    for (const { link } of this.#links) await link.close();
  }
}

export const toOrFrom =
  (victim: string): Which =>
  (from, to) =>
    from === victim || to === victim;
