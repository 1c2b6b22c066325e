// One message as users see it, between two operations.

/** `untilMs` is exact, or the least it can be: nobody was told of an extension, or of the lease itself. */
interface Leased {
  readonly kind: 'leased';
  /** Undefined: the lease was made for a receive whose answer was lost. */
  readonly token: number | undefined;
  readonly untilMs: number;
  readonly exact: boolean;
  readonly attempt: number;
}
export type Hold =
  | { readonly kind: 'waiting' }
  | Leased
  | { readonly kind: 'retry' | 'dead'; readonly token: number | undefined; readonly attempt: number }
  | { readonly kind: 'done' };

export type End =
  | { readonly kind: 'cancelled' }
  /** `stands`: the group that kept it was deleted, and nobody has swept it yet, so that a get still lists the others. */
  | { readonly kind: 'delivered'; readonly stands?: boolean }
  | { readonly kind: 'stopped'; readonly attempts: number };

export interface MessageState {
  /** `absent`: not yet scheduled. */
  readonly life: 'absent' | 'stored' | End;
  /** Groups that count, by name, with what each of them does with the message. */
  readonly groups: Readonly<Record<string, Hold>>;
  /** Of all leases of the message. */
  readonly lastToken: number;
  /** The first answers to the idempotency keys of cancels. */
  readonly answers: Readonly<Record<string, Verdict>>;
}

/** `leasedUntilMs` and `attempts` are undefined where a history does not have them. */
export interface CancelAnswer {
  readonly kind: string;
  readonly leasedUntilMs?: number | undefined;
  readonly attempts?: number | undefined;
}

/** What a cancel answers here. `leasedAtLeastMs` in place of `leasedUntilMs`: of some lease nobody was told how long it is. */
export interface Verdict extends CancelAnswer {
  readonly leasedAtLeastMs?: number | undefined;
}

export interface Times {
  readonly latestMs: number;
}

/** What the specification must be told about the world of one message. */
export interface MessageWorld {
  /** Groups that were there before the message. */
  readonly groups: readonly string[];
  /** Not to be leased before, in the cluster's time. */
  readonly dueMs: number;
  /** How far the cluster's time may be ahead of that of the history. */
  readonly skewMs: number;
  readonly maxAttempts: number;
  /**
   * Whether leases may have been made that nobody was told of. For a receive whose caller went away meanwhile, since its
   * wait was over: such a lease is given back at once, which takes its attempt back. For one whose answer was lost: then it
   * may also have run out.
   */
  readonly lostLeases: 'none' | 'givenBack' | 'any';
  /** No answer speaks of more attempts: what only lost leases could explain is not looked for beyond. */
  readonly attemptsSeen: number;
}

const textOfHold = (hold: Hold): string => {
  switch (hold.kind) {
    case 'waiting':
    case 'done':
      return hold.kind;
    case 'leased':
      return `leased ${hold.token} ${hold.untilMs} ${hold.exact} ${hold.attempt}`;
    case 'retry':
    case 'dead':
      return `${hold.kind} ${hold.token} ${hold.attempt}`;
    default:
      return hold satisfies never;
  }
};

export function textOfState({ life, groups, lastToken, answers }: MessageState): string {
  const lifeText = typeof life === 'string' ? life : JSON.stringify(life);
  const held = Object.keys(groups)
    .sort()
    .map((name) => `${name} ${textOfHold(groups[name] ?? { kind: 'waiting' })}`);
  return `${lifeText}|${held.join()}|${lastToken}|${Object.keys(answers).length === 0 ? '' : JSON.stringify(answers)}`;
}

export const withHold = (state: MessageState, group: string, hold: Hold): MessageState => ({
  ...state,
  groups: { ...state.groups, [group]: hold },
});

/** Whatever makes the last group done makes the message go. */
export function settled(state: MessageState, stands = false): MessageState {
  const holds = Object.values(state.groups);
  const done = state.life === 'stored' && holds.length > 0 && holds.every(({ kind }) => kind === 'done');
  if (!done) return state;
  return { ...state, life: stands ? { kind: 'delivered', stands } : { kind: 'delivered' } };
}

/** The lease of a group ends without an acknowledgement: the message comes again, or its attempts are used up. */
export function failed(hold: Leased, maxAttempts: number): Hold {
  return { kind: hold.attempt < maxAttempts ? 'retry' : 'dead', token: hold.token, attempt: hold.attempt };
}

/** All states that time alone, and receives that nobody heard of, may have made of this one in these groups. */
export function mayHaveBecome(
  state: MessageState,
  names: readonly string[],
  world: MessageWorld,
  { latestMs }: Times,
): readonly MessageState[] {
  if (state.life !== 'stored') return [state];
  let states: readonly MessageState[] = [state];
  for (const name of names) {
    states = states.flatMap((one) => {
      const hold = one.groups[name];
      return hold === undefined ? [one] : holdsLater(hold, world, latestMs).map((later) => withHold(one, name, later));
    });
  }
  return states;
}

function holdsLater(first: Hold, world: MessageWorld, latestMs: number): readonly Hold[] {
  const found = new Map<string, Hold>();
  const open = [first];
  for (let hold = open.pop(); hold !== undefined; hold = open.pop()) {
    const text = textOfHold(hold);
    if (found.has(text)) continue;
    found.set(text, hold);
    open.push(...holdsNext(hold, world, latestMs));
  }
  return [...found.values()];
}

function holdsNext(hold: Hold, world: MessageWorld, latestMs: number): readonly Hold[] {
  const { dueMs, skewMs, maxAttempts, lostLeases, attemptsSeen } = world;
  switch (hold.kind) {
    case 'leased':
      if (hold.token !== undefined) return hold.untilMs - skewMs <= latestMs ? [failed(hold, maxAttempts)] : [];
      return [
        ...(lostLeases === 'any' ? [failed(hold, maxAttempts)] : []),
        { kind: 'retry', token: undefined, attempt: hold.attempt - 1 },
      ];
    case 'waiting':
    case 'retry': {
      const attempt = (hold.kind === 'retry' ? hold.attempt : 0) + 1;
      if (lostLeases === 'none' || dueMs - skewMs > latestMs || attempt > attemptsSeen + 1) return [];
      return [{ kind: 'leased', token: undefined, untilMs: dueMs, exact: false, attempt }];
    }
    case 'dead':
    case 'done':
      return [];
    default:
      return hold satisfies never;
  }
}
