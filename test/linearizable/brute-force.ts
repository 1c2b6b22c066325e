// The definition itself, without any cleverness: every subset of the unanswered operations, every order, every state.
// For histories of a few operations; what the search must agree with.
import type { Operation, Specification } from './operation.ts';

export function bruteForce<State, Call, Answer>(
  specification: Specification<State, Call, Answer>,
  history: readonly Operation<Call, Answer>[],
): boolean {
  const answered = history.filter(({ outcome }) => outcome.kind === 'ok');
  const unknown = history.filter(({ outcome }) => outcome.kind === 'unknown');
  for (let subset = 0; subset < 2 ** unknown.length; subset++) {
    const taken = [...answered, ...unknown.filter((_, at) => (subset & (1 << at)) !== 0)];
    for (const order of permutations(taken)) if (keepsTime(order) && allows(specification, order)) return true;
  }
  return false;
}

function* permutations<T>(items: readonly T[]): Generator<readonly T[]> {
  if (items.length === 0) yield [];
  for (const [at, item] of items.entries())
    for (const rest of permutations(items.toSpliced(at, 1))) yield [item, ...rest];
}

const endOf = ({ outcome, endedMs }: Operation<unknown, unknown>): number =>
  outcome.kind === 'ok' ? endedMs : Number.POSITIVE_INFINITY;

/** Nobody comes after an operation that began when its own answer was there. */
const keepsTime = (order: readonly Operation<unknown, unknown>[]): boolean =>
  order.every((earlier, at) => order.slice(at + 1).every((later) => endOf(later) >= earlier.invokedMs));

function allows<State, Call, Answer>(
  specification: Specification<State, Call, Answer>,
  order: readonly Operation<Call, Answer>[],
): boolean {
  let states: readonly State[] = [specification.initial];
  for (const [at, { call, outcome }] of order.entries()) {
    const earliestMs = Math.max(...order.slice(0, at + 1).map(({ invokedMs }) => invokedMs));
    const latestMs = Math.min(...order.slice(at).map(endOf));
    states = states.flatMap((state) => {
      const answer = outcome.kind === 'ok' ? outcome.answer : undefined;
      const next = specification.step(state, call, answer, { earliestMs, latestMs });
      return typeof next === 'string' ? [] : next;
    });
  }
  return states.length > 0;
}
