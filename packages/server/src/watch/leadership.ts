// The life of a scheduler: born when the first entry of the own term is applied, ended with the leadership, suspended in
// doubt and built anew when a quorum answers in the same term (otherwise a leader that doubted once would look healthy
// and never deliver again).
import type { Scheduler } from '@holdfast/scheduler';
import type { MemberLog } from '../member.ts';
import type { IdleLeader } from './idle-leader.ts';

/** Doubt at so many looks in a row suspends: one late heartbeat does not send every consumer away. */
const doubtsToSuspend = 2;

type State =
  | { readonly kind: 'none' }
  | { readonly kind: 'starting' | 'serving'; readonly term: number; readonly scheduler: Scheduler }
  | { readonly kind: 'suspended'; readonly term: number };

export interface LeadershipPorts {
  createScheduler(): Scheduler;
  /** A quorum was not heard within an election timeout of monotonic now. */
  inDoubt(): boolean;
  /** Makes room when this node leads and does not serve. */
  readonly idle: IdleLeader;
  /** It serves, or it serves no longer. */
  onChange(): void;
  onFatal(error: unknown): void;
  readonly log: MemberLog;
}

export interface Leadership {
  becomeLeader(term: number): void;
  loseLeader(term: number): void;
  /** The scheduler that works for this term, started or not. */
  readonly scheduler: Scheduler | undefined;
  /** What the schedulers before it refused, by the name of the bound: a count of a node must not fall at an election. */
  readonly pastRefusals: ReadonlyMap<string, number>;
  /** The leadership that may answer at this moment; undefined in doubt and before `begin` is applied. */
  serving(): { readonly term: number; readonly scheduler: Scheduler } | undefined;
  /** Called every few ms while the node runs: notices doubt that lasts, and its end. */
  watch(): void;
  /** Answers every waiter. */
  stop(): void;
}

export function createLeadership(ports: LeadershipPorts): Leadership {
  let state: State = { kind: 'none' };
  let doubts = 0;
  const pastRefusals = new Map<string, number>();

  const startOf = async (scheduler: Scheduler, term: number): Promise<void> => {
    await scheduler.start();
    // It also resolves when it was stopped before it served: then another state stands here.
    if (state.kind !== 'starting' || state.scheduler !== scheduler) return;
    state = { kind: 'serving', term, scheduler };
    ports.onChange();
  };
  const build = (term: number): void => {
    const scheduler = ports.createScheduler();
    state = { kind: 'starting', term, scheduler };
    doubts = 0;
    startOf(scheduler, term).catch((error: unknown) => ports.onFatal(error));
  };
  const end = (next: State): void => {
    const ended = state;
    state = next;
    if (ended.kind === 'starting' || ended.kind === 'serving') {
      ended.scheduler.stop();
      for (const [bound, count] of ended.scheduler.status().refusals)
        pastRefusals.set(bound, (pastRefusals.get(bound) ?? 0) + count);
    }
    ports.onChange();
  };

  return {
    becomeLeader(term) {
      end({ kind: 'none' });
      build(term);
    },
    loseLeader(term) {
      if (state.kind !== 'none' && state.term === term) end({ kind: 'none' });
    },
    get scheduler() {
      return state.kind === 'starting' || state.kind === 'serving' ? state.scheduler : undefined;
    },
    pastRefusals,
    serving() {
      return state.kind === 'serving' && !ports.inDoubt() ? state : undefined;
    },
    watch() {
      if (state.kind === 'none') return;
      doubts = ports.inDoubt() ? doubts + 1 : 0;
      const { term } = state;
      if (state.kind !== 'suspended' && doubts >= doubtsToSuspend) {
        ports.log.warn({ event: 'scheduler.suspended', term }, 'a quorum does not answer; deliveries wait');
        end({ kind: 'suspended', term });
      } else if (state.kind === 'suspended' && doubts === 0) {
        ports.log.info({ event: 'scheduler.resumed', term }, 'a quorum answers again; the scheduler is built anew');
        build(term);
      }
      ports.idle.look(term, state.kind === 'serving');
    },
    stop() {
      end({ kind: 'none' });
    },
  };
}
