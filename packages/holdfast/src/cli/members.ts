// `holdfast cluster add | remove | replace | transfer`: what an operator does to the members of a cluster that runs. Each step
// is asked for until the cluster has done it, since asking for the same twice is the same as asking once (where it is not, it
// is looked at first whether it was done); and what a command that was interrupted has done already is seen in the list of
// members, where a directory is known by its incarnation.
import { type AnswerOf, routes } from '@holdfast/api';
import { answeredMs, asked, askedOnce, until } from './ask.ts';
import { CommandError } from './command-error.ts';

export interface ToOptions {
  /** The API of a member; it passes everything on to its leader. */
  readonly to: string;
}

/** Catching up is a copy of the whole state at worst. */
const promotedMs = 30 * 60_000;

/** Resolves when the new node has a vote. @throws CommandError */
export async function addMember(api: string, { to }: ToOptions): Promise<void> {
  await add(await newNodeAt(api, to), to);
}

/** @throws CommandError */
export async function removeMember(id: string, { to }: ToOptions): Promise<void> {
  const member = (await settledMembers(to)).find((one) => one.id === id);
  if (member === undefined) say(`${id} is no member.`);
  else await remove(member, to);
}

/** The new one first, so that there are never fewer; unless it has the name of the old one. @throws CommandError */
export async function replaceMember(id: string, api: string, options: ToOptions): Promise<void> {
  const { to } = options;
  const node = await newNodeAt(api, to);
  if (node.id === id) {
    const old = (await settledMembers(to)).find((one) => one.id === id && !isSame(one, node));
    if (old !== undefined) await remove(old, to);
  } else if (node.waiting === undefined) {
    await requireGone(id, node, to);
  } else {
    await requireMember(id, node, to);
  }
  await add(node, to);
  if (node.id !== id) await removeMember(id, options);
}

/**
 * The list does not tell a replacement that was cut short from an address that was mistyped, of a member of old. Whoever is
 * there is not removed by it. @throws CommandError
 */
async function requireGone(id: string, node: Node, to: string): Promise<void> {
  const isThere = (await settledMembers(to)).some((member) => member.id === id && member.reachable);
  if (!isThere) return;
  throw new CommandError(
    `${node.id} is a member already, and ${id} can be reached. ` +
      `If it is to go all the same: holdfast cluster remove ${id} --to ${to}`,
  );
}

/** A name that was mistyped: nobody would go, and the new one be added. @throws CommandError */
async function requireMember(id: string, node: Node, to: string): Promise<void> {
  if ((await settledMembers(to)).some((member) => member.id === id || isSame(member, node))) return;
  throw new CommandError(
    `${id} is no member, so nobody is replaced. To add ${node.id}: holdfast cluster add ADDRESS --to ${to}`,
  );
}

/**
 * Whoever leads is looked at before each try: a transfer whose answer was lost may have been done, and asking once more would
 * take leadership back to where it is to leave. @throws CommandError
 */
export async function transferLeadership({ to, toNode }: ToOptions & { readonly toNode?: string }): Promise<void> {
  const leaderNow = async (): Promise<string> => (await asked(to, routes.members)).leader;
  const before = await leaderNow();
  const body = toNode === undefined ? {} : { to: toNode };
  let hasStarted = false;
  const leader = await until(`${toNode ?? `another one than ${before}`} leads`, answeredMs, async () => {
    const seen = await leaderNow();
    if (toNode === undefined ? seen !== before : seen === toNode) return seen;
    if (!hasStarted) hasStarted = (await askedOnce(to, routes.transfer, { body })) !== undefined;
    return undefined;
  });
  say(`${leader} leads.`);
}

type Node = AnswerOf<'cluster'>;
type Directory = Pick<Node, 'id' | 'incarnation'>;

const isSame = (one: Directory, other: Directory): boolean =>
  one.id === other.id && one.incarnation === other.incarnation;

/** The members, once the last change can not be taken back any more. */
async function settledMembers(to: string): Promise<AnswerOf<'members'>['members']> {
  return await until('the last change of the members is settled', answeredMs, async () => {
    const { members, settled } = await asked(to, routes.members);
    return settled ? members : undefined;
  });
}

/** One that waits to be taken in, or has been taken in already: nothing is changed for any other. */
async function newNodeAt(api: string, to: string): Promise<Node> {
  const node = await asked(api, routes.cluster);
  if (node.waiting !== undefined || (await settledMembers(to)).some((member) => isSame(member, node))) return node;
  throw new CommandError(
    `${node.id} at ${api} does not wait to be taken in, and is no member of the cluster at ${to}: it belongs to another one, ` +
      'or was removed. A new node is started with --join and a directory that does not exist yet.',
  );
}

async function add(node: Node, to: string): Promise<void> {
  const { id, waiting } = node;
  const isListed = (await settledMembers(to)).some((member) => isSame(member, node));
  if (!isListed && waiting !== undefined) {
    await asked(to, routes.addMember, { body: { id, ...waiting } });
    say(`${id} follows; it gets its vote when it has caught up ...`);
  }
  await until(`${id} has a vote`, promotedMs, async () => {
    const { members, settled } = await asked(to, routes.members);
    const found = members.find((member) => isSame(member, node));
    if (found === undefined) throw new CommandError(`${id} was removed before it had a vote.`);
    return settled && found.role === 'voter' ? true : undefined;
  });
  say(`${id} is a member.`);
}

/** This directory, and not another one that was taken in under its name while an answer was lost. */
async function remove({ id, incarnation }: Directory, to: string): Promise<void> {
  await asked(to, routes.removeMember, { params: { id }, query: { incarnation } });
  say(`${id} is a member no more. Its directory is of no use to this cluster.`);
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
