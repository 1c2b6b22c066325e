// Is there an order of the operations that one object could have carried out one by one, in which each takes effect
// between its invocation and its answer?
//
// Wing and Gong, "Testing and Verifying Concurrent Objects" (1993): take any operation that nothing definite precedes in
// real time, see whether the object allows it, go on from there, go back when stuck. Lowe, "Testing for linearizability"
// (2017): the same set of operations with the same state need not be looked at twice, whatever their order was. Horn and
// Kroening, "Faster linearizability checking via P-compositionality" (2015): objects are judged one by one (objects.ts),
// which is sound because linearizability is local (Herlihy and Wing, 1990, theorem 1).
import type { Moment, Operation, Specification } from './operation.ts';

export type Judgement =
  | { readonly kind: 'linearizable'; readonly configurations: number }
  | { readonly kind: 'notLinearizable'; readonly configurations: number; readonly reason: string }
  /** Nothing is known: the bound was met first. Never to be taken for a pass. */
  | { readonly kind: 'tooLarge'; readonly configurations: number };

export const defaultMaxConfigurations = 200_000;

/** A set of operations that have taken effect, and a state in which the object may be then. */
interface Configuration<State> {
  /** All operations before this place have taken effect ... */
  readonly base: number;
  /** ... and these after it, in rising order. */
  readonly beyond: readonly number[];
  /** How many of them have an answer. */
  readonly answered: number;
  readonly state: State;
  readonly earliestMs: number;
  readonly last: { readonly place: number; readonly before: Configuration<State> } | undefined;
}

export function judge<State, Call, Answer>(
  specification: Specification<State, Call, Answer>,
  history: readonly Operation<Call, Answer>[],
  maxConfigurations: number = defaultMaxConfigurations,
): Judgement {
  const operations = history
    .filter(({ outcome }) => outcome.kind !== 'failed')
    .sort((a, b) => a.invokedMs - b.invokedMs || endOf(a) - endOf(b));
  const answered = operations.filter(({ outcome }) => outcome.kind === 'ok').length;
  const seen = new Set<string>();
  const first: Configuration<State> = {
    base: 0,
    beyond: [],
    answered: 0,
    state: specification.initial,
    earliestMs: Number.NEGATIVE_INFINITY,
    last: undefined,
  };
  const open = [first];
  let deepest = first;
  for (let configuration = open.pop(); configuration !== undefined; configuration = open.pop()) {
    if (configuration.answered === answered) return { kind: 'linearizable', configurations: seen.size };
    if (configuration.answered > deepest.answered) deepest = configuration;
    const next = [...successors(specification, operations, configuration)];
    // The last one pushed is looked at first: it is to be the one whose answer came first.
    for (const one of next.toReversed()) {
      const text = `${one.base}+${one.beyond.join()}|${specification.textOf(one.state)}`;
      if (seen.has(text)) continue;
      if (seen.size >= maxConfigurations) return { kind: 'tooLarge', configurations: seen.size };
      seen.add(text);
      open.push(one);
    }
  }
  return {
    kind: 'notLinearizable',
    configurations: seen.size,
    reason: reasonOf(specification, operations, deepest),
  };
}

const endOf = ({ outcome, endedMs }: Operation<unknown, unknown>): number =>
  outcome.kind === 'ok' ? endedMs : Number.POSITIVE_INFINITY;

/** Places of the operations that may come next, those that were answered first in front; and by when one must have come. */
function candidates(
  operations: readonly Operation<unknown, unknown>[],
  { base, beyond }: Pick<Configuration<unknown>, 'base' | 'beyond'>,
): { readonly places: readonly number[]; readonly latestMs: number } {
  const taken = new Set(beyond);
  let latestMs = Number.POSITIVE_INFINITY;
  const places: number[] = [];
  for (let place = base; place < operations.length; place++) {
    const operation = operations[place];
    if (operation === undefined || taken.has(place)) continue;
    // They are in the order of invocation: this one began after the answer of one that has not taken effect yet.
    if (operation.invokedMs > latestMs) break;
    latestMs = Math.min(latestMs, endOf(operation));
    places.push(place);
  }
  const end = (place: number): number => endOf(operations[place] ?? unending);
  return { places: places.sort((a, b) => end(a) - end(b)), latestMs };
}

const unending: Operation<unknown, unknown> = { call: 0, invokedMs: 0, endedMs: 0, outcome: { kind: 'unknown' } };

function* successors<State, Call, Answer>(
  specification: Specification<State, Call, Answer>,
  operations: readonly Operation<Call, Answer>[],
  configuration: Configuration<State>,
): Generator<Configuration<State>> {
  const { places, latestMs } = candidates(operations, configuration);
  for (const place of places) {
    const operation = operations[place];
    if (operation === undefined) continue;
    const moment = momentOf(operation, configuration, latestMs);
    const states = stepOf(specification, operation, configuration.state, moment);
    if (typeof states === 'string') continue;
    for (const state of states) yield after(configuration, { place, operation, state, moment });
  }
}

function momentOf(
  { invokedMs }: Operation<unknown, unknown>,
  { earliestMs }: Pick<Configuration<unknown>, 'earliestMs'>,
  latestMs: number,
): Moment {
  return { earliestMs: Math.max(invokedMs, earliestMs), latestMs };
}

function stepOf<State, Call, Answer>(
  specification: Specification<State, Call, Answer>,
  { call, outcome }: Operation<Call, Answer>,
  state: State,
  moment: Moment,
): readonly State[] | string {
  return specification.step(state, call, outcome.kind === 'ok' ? outcome.answer : undefined, moment);
}

function after<State, Call, Answer>(
  before: Configuration<State>,
  taken: {
    readonly place: number;
    readonly operation: Operation<Call, Answer>;
    readonly state: State;
    readonly moment: Moment;
  },
): Configuration<State> {
  const { place, operation, state, moment } = taken;
  const beyond = [...before.beyond, place].sort((a, b) => a - b);
  let { base } = before;
  let passed = 0;
  while (beyond[passed] === base) {
    base += 1;
    passed += 1;
  }
  return {
    base,
    beyond: beyond.slice(passed),
    answered: before.answered + (operation.outcome.kind === 'ok' ? 1 : 0),
    state,
    earliestMs: moment.earliestMs,
    last: { place, before },
  };
}

const shownBefore = 4;

/** From the configuration that came furthest: what had happened, and why nothing that was answered could be next. */
function reasonOf<State, Call, Answer>(
  specification: Specification<State, Call, Answer>,
  operations: readonly Operation<Call, Answer>[],
  deepest: Configuration<State>,
): string {
  const told = (operation: Operation<Call, Answer>): string => {
    const { call, outcome, invokedMs, endedMs } = operation;
    const what = specification.describe(call, outcome.kind === 'ok' ? outcome.answer : undefined);
    return `${what} [${invokedMs.toFixed(1)}, ${outcome.kind === 'ok' ? endedMs.toFixed(1) : '...'}]`;
  };
  const before: string[] = [];
  for (let at = deepest.last; at !== undefined; at = at.before.last) {
    const operation = operations[at.place];
    if (operation !== undefined) before.unshift(told(operation));
  }
  const { places, latestMs } = candidates(operations, deepest);
  const refused = places.flatMap((place) => {
    const operation = operations[place];
    if (operation?.outcome.kind !== 'ok') return [];
    const why = stepOf(specification, operation, deepest.state, momentOf(operation, deepest, latestMs));
    return typeof why === 'string' ? [`${told(operation)}: ${why}`] : [];
  });
  const shown = before.slice(-shownBefore);
  const more = before.length > shown.length ? '... ' : '';
  return `after ${before.length === 0 ? 'nothing' : more + shown.join(', ')}: ${refused.join('; ')}`;
}
