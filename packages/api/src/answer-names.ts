// Whether something speaks the language of a node at all. Whoever asks may be newer or older than who answers, so it is not
// the whole schema that is held against an answer, but its names.
import { z } from 'zod';
import { routes, type Verb } from './routes.ts';

const names: ReadonlyMap<string, readonly string[]> = new Map(
  Object.values(routes).map(({ verb, answer }) => [verb, namesIn(answer)]),
);

/** @returns false when `value` has nothing that an answer to `verb` has: it comes from something that is no node. Not a check of its values */
export function looksLikeAnswerTo(verb: Verb, value: unknown): boolean {
  return typeof value === 'object' && value !== null && (names.get(verb) ?? []).some((name) => name in value);
}

function namesIn(schema: unknown): readonly string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  return schema instanceof z.ZodUnion ? schema.options.flatMap(namesIn) : [];
}
