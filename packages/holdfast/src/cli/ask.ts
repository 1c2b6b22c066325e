// What a command asks of a node that runs, by the table of routes: again, as long as another answer is to be expected soon.
import { fromProblem } from '@holdfast/api';
import { CommandError } from './command-error.ts';

/** An election, another change that is under way, another backup. */
export const answeredMs = 30_000;
const attemptMs = 10_000;
const againMs = 200;
const later: ReadonlySet<string> = new Set([
  'HF_MEMBERS_BUSY',
  'HF_BACKUP_BUSY',
  'HF_OVERLOADED',
  'HF_NO_LEADER',
  'HF_OUTCOME_UNKNOWN',
  'HF_STOPPING',
]);

interface Place {
  readonly method: string;
  readonly path: string;
}

interface Route<Answer> extends Place {
  readonly answer: { parse(value: unknown): Answer };
}

interface Asked {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** @throws CommandError */
export async function asked<Answer>(api: string, route: Route<Answer>, request: Asked = {}): Promise<Answer> {
  return await until(`${api} does it`, answeredMs, () => askedOnce(api, route, request));
}

/** @returns undefined when another answer is to be expected soon, or it may have been done. @throws CommandError */
export async function askedOnce<Answer>(
  api: string,
  route: Route<Answer>,
  request: Asked,
): Promise<Answer | undefined> {
  const response = await answerOf(api, route, request);
  return response === undefined ? undefined : route.answer.parse(await response.json().catch(() => undefined));
}

/**
 * @returns the body, which comes as fast as it is read; it throws CommandError when it breaks off
 * @throws CommandError
 */
export async function askedForStream(api: string, route: Place): Promise<AsyncIterable<Uint8Array>> {
  const response = await until(`${api} answers`, answeredMs, () => answerOf(api, route, {}));
  const { body } = response;
  if (body === null) throw new CommandError(`${api} answers with nothing.`);
  return unbroken(api, body);
}

async function* unbroken(api: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw new CommandError(`${api} broke off: ${reasonOf(error)}.`);
  }
}

/** undefined: ask again. @throws CommandError */
async function answerOf(api: string, { method, path }: Place, { params = {}, query = {}, body }: Asked) {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const url = urlOf(api, filled);
  url.search = new URLSearchParams(query).toString();
  const content =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const tooLate = new AbortController();
  const timer = setTimeout(() => tooLate.abort(new Error(`no answer within ${attemptMs / 1_000} s`)), attemptMs);
  let response: Response;
  try {
    response = await fetch(url, { method, signal: tooLate.signal, ...content });
  } catch (error) {
    throw new CommandError(`${url.origin} can not be reached: ${reasonOf(error)}.`);
  } finally {
    clearTimeout(timer);
  }
  if (response.ok) return response;
  const problem = fromProblem(await response.json().catch(() => undefined));
  if (problem === undefined) throw new CommandError(`${url.origin} answers ${response.status}: is it a node?`);
  if (later.has(problem.code)) return undefined;
  throw new CommandError(problem.message);
}

/** @throws CommandError */
function urlOf(api: string, path: string): URL {
  try {
    const url = new URL(path, api.includes('://') ? api : `http://${api}`);
    if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  } catch {
    // What is no URL is refused like one of another kind.
  }
  throw new CommandError(`"${api}" is no address of an API: say host:port, such as 127.0.0.1:7401.`);
}

const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
};

/** @throws CommandError when it does not come about in time */
export async function until<T>(what: string, withinMs: number, holds: () => Promise<T | undefined>): Promise<T> {
  const endsAtMs = performance.now() + withinMs;
  for (;;) {
    const seen = await holds();
    if (seen !== undefined) return seen;
    if (performance.now() > endsAtMs) throw new CommandError(`Not within ${withinMs / 1_000} s: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}
