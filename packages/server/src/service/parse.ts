// The one place where a request is checked: the schemas of its route, once. Inside, types are trusted.
import {
  bounds,
  type ErrorFacts,
  HoldfastError,
  idempotencyHeader,
  type ParsedRequestOf,
  type RequestOf,
  routes,
  type Verb,
} from '@holdfast/api';
import type { z } from 'zod';

type Field = NonNullable<ErrorFacts['fields']>[number];
type Issue = z.core.$ZodIssue;

const maxFields = 20;
/** Made once: to make a schema costs more than to parse a whole request with it. */
const keySchema = idempotencyHeader.schema.optional();

/** @throws HF_INVALID_REQUEST with every field at fault (at most 20); HF_BODY_TOO_LARGE */
export function parseRequest<V extends Verb>(verb: V, request: RequestOf<V>): ParsedRequestOf<V> {
  const { params, query, body } = routes[verb];
  const parsedParams = params.safeParse(request.params);
  const parsedQuery = query.safeParse(request.query);
  const parsedBody = body?.safeParse(request.body);
  const parsedKey = keySchema.safeParse(request.idempotencyKey);
  const issues: Issue[] = [
    ...(parsedParams.error?.issues ?? []),
    ...(parsedQuery.error?.issues ?? []),
    ...(parsedBody?.error?.issues ?? []),
  ];
  const fields = issues.flatMap((issue) => fieldsOf(issue, []));
  for (const { message } of parsedKey.error?.issues ?? []) fields.push({ path: idempotencyHeader.name, message });
  if (fields.length > 0) throw refusal(issues, fields);
  // The schemas above are the ones that ParsedRequestOf<V> is computed from; a generic `V` hides that from the checker.
  return {
    params: parsedParams.data,
    query: parsedQuery.data,
    body: parsedBody?.data,
    idempotencyKey: parsedKey.data,
  } as ParsedRequestOf<V>;
}

function refusal(issues: readonly Issue[], fields: readonly Field[]): HoldfastError {
  const facts = { fields: fields.slice(0, maxFields) };
  if (!issues.some(isTooLarge)) return new HoldfastError('HF_INVALID_REQUEST', facts);
  return new HoldfastError('HF_BODY_TOO_LARGE', { ...facts, detail: `A body has at most ${bounds.bodyBytes} bytes.` });
}

function isTooLarge(issue: Issue): boolean {
  if (issue.code === 'invalid_union') return issue.errors.some((branch) => branch.some(isTooLarge));
  return issue.code === 'custom' && issue.params?.['tooLarge'] === true;
}

function fieldsOf(issue: Issue, outer: readonly PropertyKey[]): Field[] {
  const path = [...outer, ...issue.path];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: textOf([...path, key]), message: 'is unknown' }));
  if (issue.code === 'invalid_union') {
    const meant = [...issue.errors].sort((a, b) => strangeness(a) - strangeness(b))[0] ?? [];
    if (meant.length > 0) return meant.flatMap((inner) => fieldsOf(inner, path));
  }
  return [{ path: textOf(path), message: issue.message }];
}

const textOf = (path: readonly PropertyKey[]): string => (path.length === 0 ? 'body' : path.map(String).join('.'));

/** How little a value looks like a branch of a union: the fields that the branch does not know, or misses. */
function strangeness(branch: readonly Issue[]): number {
  let strange = 0;
  for (const issue of branch) {
    if (issue.code === 'unrecognized_keys') strange += issue.keys.length;
    else if (issue.code === 'invalid_type' && issue.input === undefined) strange += 1;
  }
  return strange;
}
