// A sorted map that never changes: each put gives a new map that shares almost everything with the old one. So a snapshot
// of the simulated database, and what it was before each batch, is a pointer. A treap: a tree sorted by key, and a heap by
// a priority that is a hash of the key.
import { mixText } from '../random.ts';

interface Node {
  readonly key: string;
  readonly value: Uint8Array;
  readonly priority: number;
  readonly left: Tree;
  readonly right: Tree;
}
export type Tree = Node | undefined;

/** Keys are bytes as a latin1 string: code unit order is byte order. */
export function get(tree: Tree, key: string): Uint8Array | undefined {
  for (let node = tree; node !== undefined; node = key < node.key ? node.left : node.right) {
    if (key === node.key) return node.value;
  }
  return undefined;
}

export function put(tree: Tree, key: string, value: Uint8Array): Tree {
  return insert(tree, key, value, mixText(0x1f83d9ab, key));
}

function insert(tree: Tree, key: string, value: Uint8Array, priority: number): Tree {
  if (tree === undefined) return { key, value, priority, left: undefined, right: undefined };
  if (key === tree.key) return { ...tree, value };
  if (priority > tree.priority) {
    const [left, right] = split(tree, key);
    return { key, value, priority, left, right };
  }
  const { key: k, value: v, priority: p, left, right } = tree;
  return key < k
    ? { key: k, value: v, priority: p, left: insert(left, key, value, priority), right }
    : { key: k, value: v, priority: p, left, right: insert(right, key, value, priority) };
}

/** Everything below `key`, and everything above it; `key` itself, where it is, stays with the upper half. */
function split(tree: Tree, key: string): [Tree, Tree] {
  if (tree === undefined) return [undefined, undefined];
  const { key: k, value, priority, left, right } = tree;
  if (k < key) {
    const [low, high] = split(right, key);
    return [{ key: k, value, priority, left, right: low }, high];
  }
  const [low, high] = split(left, key);
  return [low, { key: k, value, priority, left: high, right }];
}

export function remove(tree: Tree, key: string): Tree {
  if (tree === undefined) return undefined;
  const { key: k, value, priority, left, right } = tree;
  if (key === k) return join(left, right);
  if (key < k) {
    const less = remove(left, key);
    return less === left ? tree : { key: k, value, priority, left: less, right };
  }
  const more = remove(right, key);
  return more === right ? tree : { key: k, value, priority, left, right: more };
}

function join(left: Tree, right: Tree): Tree {
  if (left === undefined) return right;
  if (right === undefined) return left;
  if (left.priority > right.priority) {
    const { key, value, priority, left: far } = left;
    return { key, value, priority, left: far, right: join(left.right, right) };
  }
  const { key, value, priority, right: far } = right;
  return { key, value, priority, left: join(left, right.left), right: far };
}

export interface Bounds {
  readonly gte?: string | undefined;
  readonly gt?: string | undefined;
  readonly lte?: string | undefined;
  readonly lt?: string | undefined;
  readonly reverse?: boolean | undefined;
}

/** In order of keys, or in reverse. */
export function* rows(tree: Tree, bounds: Bounds = {}): Generator<readonly [key: string, value: Uint8Array]> {
  const { gte, gt, lte, lt, reverse = false } = bounds;
  const tooLow = (key: string): boolean => (gte !== undefined && key < gte) || (gt !== undefined && key <= gt);
  const tooHigh = (key: string): boolean => (lte !== undefined && key > lte) || (lt !== undefined && key >= lt);
  const early = reverse ? tooHigh : tooLow;
  const late = reverse ? tooLow : tooHigh;
  const waiting: Node[] = [];
  let next = tree;
  for (;;) {
    while (next !== undefined) {
      const passed = early(next.key);
      if (!passed) waiting.push(next);
      next = passed === reverse ? next.left : next.right;
    }
    const node = waiting.pop();
    if (node === undefined || late(node.key)) return;
    yield [node.key, node.value];
    next = reverse ? node.left : node.right;
  }
}

export function count(tree: Tree): number {
  return tree === undefined ? 0 : count(tree.left) + 1 + count(tree.right);
}
