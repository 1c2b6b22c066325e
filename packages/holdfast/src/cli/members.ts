// `holdfast cluster add | remove | replace | transfer`: what an operator does to the members of a cluster that runs. Each step
// is asked for until the cluster has done it, since asking for the same twice is the same as asking once.
import { type RequestOf, routes } from '@holdfast/api';
import { answeredMs, asked, until } from './ask.ts';
import { CommandError } from './command-error.ts';

export interface ToOptions {
  /** The API of a member; it passes everything on to its leader. */
  readonly to: string;
}

/** Catching up is a copy of the whole state at worst. */
const promotedMs = 30 * 60_000;

/** Resolves when the new node has a vote. @throws CommandError */
export async function addMember(api: string, { to }: ToOptions): Promise<void> {
  await add(await waitingAt(api), to);
}

/** @throws CommandError */
export async function removeMember(id: string, { to }: ToOptions): Promise<void> {
  const { kind } = await asked(to, routes.removeMember, { params: { id } });
  say(
    kind === 'removed'
      ? `${id} is a member no more. Its directory is of no use to this cluster.`
      : `${id} is no member.`,
  );
}

/** The new one first, so that there are never fewer; unless it has the name of the old one. @throws CommandError */
export async function replaceMember(id: string, api: string, options: ToOptions): Promise<void> {
  const node = await waitingAt(api);
  if (node.id === id) await removeMember(id, options);
  await add(node, options.to);
  if (node.id !== id) await removeMember(id, options);
}

/** @throws CommandError */
export async function transferLeadership({ to, toNode }: ToOptions & { readonly toNode?: string }): Promise<void> {
  const body = toNode === undefined ? {} : { to: toNode };
  const started = await asked(to, routes.transfer, { body });
  await until(`${started.to} leads`, answeredMs, async () => {
    const seen = await asked(to, routes.members);
    return seen.leader === started.to ? true : undefined;
  });
  say(`${started.to} leads.`);
}

type Waiting = RequestOf<'addMember'>['body'];

async function waitingAt(api: string): Promise<Waiting> {
  const { id, waiting } = await asked(api, routes.cluster);
  if (waiting !== undefined) return { id, ...waiting };
  throw new CommandError(`${id} at ${api} does not wait to be taken in: start it with --join and an empty directory.`);
}

async function add(node: Waiting, to: string): Promise<void> {
  const { id } = node;
  await asked(to, routes.addMember, { body: node });
  say(`${id} follows; it gets its vote when it has caught up ...`);
  await until(`${id} has a vote`, promotedMs, async () => {
    const { members, settled } = await asked(to, routes.members);
    const found = members.find((member) => member.id === id && member.incarnation === node.incarnation);
    if (found === undefined) throw new CommandError(`${id} was removed before it had a vote.`);
    return settled && found.role === 'voter' ? true : undefined;
  });
  say(`${id} is a member.`);
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
