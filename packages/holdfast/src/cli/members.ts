// `holdfast cluster add | remove | replace | transfer`: what an operator does to the members of a cluster that runs. Each step
// is asked for until the cluster has done it, since asking for the same twice is the same as asking once.
import { fromProblem, type RequestOf, routes } from '@holdfast/api';
import { CommandError } from './command-error.ts';

export interface ToOptions {
  /** The API of a member; it passes everything on to its leader. */
  readonly to: string;
}

/** Catching up is a copy of the whole state at worst. */
const promotedMs = 30 * 60_000;
/** An election, or another change that is under way. */
const answeredMs = 30_000;
const attemptMs = 10_000;
const againMs = 200;
const later: ReadonlySet<string> = new Set(['HF_MEMBERS_BUSY', 'HF_NO_LEADER', 'HF_OUTCOME_UNKNOWN', 'HF_STOPPING']);

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

interface AskedRoute<Answer> {
  readonly method: string;
  readonly path: string;
  readonly answer: { parse(value: unknown): Answer };
}

interface Asked {
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Asks again as long as another answer is to be expected soon. @throws CommandError */
function asked<Answer>(api: string, route: AskedRoute<Answer>, request: Asked = {}): Promise<Answer> {
  return until(`${api} does it`, answeredMs, () => askedOnce(api, route, request));
}

async function askedOnce<Answer>(
  api: string,
  { method, path, answer }: AskedRoute<Answer>,
  { params = {}, body }: Asked,
): Promise<Answer | undefined> {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const url = new URL(filled, api.includes('://') ? api : `http://${api}`);
  const content =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  let response: Response;
  try {
    response = await fetch(url, { method, signal: AbortSignal.timeout(attemptMs), ...content });
  } catch (error) {
    throw new CommandError(`${url.origin} can not be reached: ${reasonOf(error)}.`);
  }
  const said: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer.parse(said);
  const problem = fromProblem(said);
  if (problem === undefined) throw new CommandError(`${url.origin} answers ${response.status}: is it a node?`);
  if (later.has(problem.code)) return undefined;
  throw new CommandError(problem.message);
}

const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
};

async function until<T>(what: string, withinMs: number, holds: () => Promise<T | undefined>): Promise<T> {
  const endsAtMs = performance.now() + withinMs;
  for (;;) {
    const seen = await holds();
    if (seen !== undefined) return seen;
    if (performance.now() > endsAtMs) throw new CommandError(`Not within ${withinMs / 1_000} s: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
