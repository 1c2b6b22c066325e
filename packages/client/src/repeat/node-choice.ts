// Which node is asked next: the leader when it is known, otherwise the one that answered last, otherwise the next in turn.

export class NodeChoice {
  readonly nodes: readonly string[];
  #preferred: number;
  #leader: string | undefined;
  #term: number | undefined;

  /** @param start in [0, 1): where to begin, so that many clients do not all begin at the first node */
  constructor(nodes: readonly string[], start: number) {
    if (nodes.length === 0) throw new TypeError('A client needs the address of at least one node.');
    this.nodes = [...new Set(nodes.map(originOf))];
    this.#preferred = Math.floor(start * this.nodes.length);
  }

  get count(): number {
    return this.nodes.length;
  }

  get leader(): string | undefined {
    return this.#leader;
  }

  /** The latest term in which somebody was known to lead; undefined until a node says one. */
  get term(): number | undefined {
    return this.#term;
  }

  preferred(): string {
    return this.nodes[this.#preferred] ?? '';
  }

  /** It answered, itself or by passing the request on. A leader that is known stays preferred. */
  answered(node: string): void {
    if (this.#leader === undefined) this.#prefer(node);
  }

  /** It failed, or leads no longer. @returns where to go instead; the same node when there is no other */
  after(failed: string): string {
    if (this.#leader === failed) this.#leader = undefined;
    if (this.preferred() === failed) this.#preferred = (this.#preferred + 1) % this.nodes.length;
    return this.preferred();
  }

  /**
   * Somebody said that this node leads. Addresses that the user did not give are not followed: inside a container
   * network they lead nowhere, and nobody else decides to whom this client talks.
   * @param term in which it leads, when that was said as well
   * @returns whether it is followed
   */
  follow(leaderApi: string, term = 0): boolean {
    const node = originOf(leaderApi);
    if (!this.nodes.includes(node)) return false;
    // Who slept names the leader of an earlier term. Once the later one has failed anybody is followed: a cluster that was
    // restored begins with low terms.
    const isOlder = term > 0 && term < (this.#term ?? 0);
    if (isOlder && this.#leader !== undefined) return this.#leader === node;
    if (term > 0) this.#term = term;
    this.#leader = node;
    this.#prefer(node);
    return true;
  }

  #prefer(node: string): void {
    const index = this.nodes.indexOf(node);
    if (index >= 0) this.#preferred = index;
  }
}

/** 'http://10.0.0.1:7401/' and 'http://10.0.0.1:7401' are one node. Names that are no URL (a node in this process) stay as they are. */
export function originOf(node: string): string {
  return node.endsWith('/') ? node.slice(0, -1) : node;
}
