// Housekeeping in bounded steps, one at a time: answers, ended rows, what deleted groups leave [V2].
//
// A step names what a view showed; apply checks each row again. Nothing here is urgent, and nothing is lost when a step is.
import { type CollectStep, comparePositions, type GroupInfo, origin, type Position, type View } from '@holdfast/store';
import type { Life } from './life.ts';

export interface CollectConfig {
  /** Between two looks that found nothing, ms. */
  readonly collectEveryMs: number;
  /** Between two steps while there is more, ms. */
  readonly collectPauseMs: number;
  /** How long it stays known how a message ended, ms. */
  readonly endedKeepMs: number;
}

/** In `collectEveryMs`: where nothing ends, looking is all that is done. */
const longestIdle = 12;

export class Collector {
  readonly #life: Life;
  readonly #config: CollectConfig;
  /** Topics whose lanes may hold messages that every group is done with, and how far each was looked through. */
  readonly #sweeps = new Map<number, Position>();
  /** Monotonic. */
  #nextAtMs: number;
  #isRunning = false;
  /** Looks in a row that found nothing. */
  #idleLooks = 0;

  constructor(life: Life, config: CollectConfig) {
    this.#life = life;
    this.#config = config;
    this.#nextAtMs = life.ports.clock.monotonicMs() + config.collectEveryMs;
  }

  /** A group of the topic began, or went: what nobody waits for any more is to be found. */
  sweep(topic: number): void {
    this.#sweepAgain(topic);
    const soonMs = this.#life.ports.clock.monotonicMs() + this.#config.collectPauseMs;
    this.#nextAtMs = Math.min(this.#nextAtMs, soonMs);
  }

  #sweepAgain(topic: number): void {
    this.#sweeps.set(topic, { ...origin });
  }

  /** In ms from now; Infinity while a step is under way. */
  nextInMs(monotonicMs: number): number {
    return this.#isRunning ? Number.POSITIVE_INFINITY : this.#nextAtMs - monotonicMs;
  }

  /** Takes one step when its time has come. */
  async look(monotonicMs: number): Promise<void> {
    if (this.#isRunning || monotonicMs < this.#nextAtMs) return;
    this.#isRunning = true;
    this.#nextAtMs = Number.POSITIVE_INFINITY;
    try {
      const view = this.#life.ports.store.view();
      const { commands, hasMore } = await this.#gather(view).finally(() => view.close());
      let collected = 0;
      // A command each: apply bounds the rows of one.
      for (const steps of commands) {
        if (this.#life.isStopped()) return;
        const proposal = await this.#life.proposed.propose<'collect'>({ kind: 'collect', steps });
        if (proposal.kind === 'applied' && proposal.verdict.kind === 'collected') collected += proposal.verdict.rows;
        else this.#lose(steps);
      }
      // Rows that apply would not let go are not asked for again at once.
      const isStuck = commands.length > 0 && collected === 0;
      this.#idleLooks = commands.length === 0 && !hasMore ? this.#idleLooks + 1 : 0;
      const idleMs = this.#config.collectEveryMs * Math.min(longestIdle, Math.max(1, this.#idleLooks));
      const pauseMs = hasMore && !isStuck ? this.#config.collectPauseMs : idleMs;
      // A sweep that was asked for meanwhile may have to come earlier.
      this.#nextAtMs = Math.min(this.#nextAtMs, this.#life.ports.clock.monotonicMs() + pauseMs);
    } finally {
      this.#isRunning = false;
      this.#life.wake();
    }
  }

  /** All but a sweep is found by the next look; a sweep has been ticked off already. */
  #lose(steps: readonly CollectStep[]): void {
    this.#life.refusals.count('collectLost');
    for (const step of steps) if (step.kind === 'messages') this.#sweepAgain(step.topic);
  }

  async #gather(view: View): Promise<{ commands: CollectStep[][]; hasMore: boolean }> {
    const limit = this.#life.bounds.collectRows;
    // One that is asked for from here on has a reason that this view does not show.
    const [sweep] = this.#sweeps;
    // Cluster time alone does not say how old they are: it may have jumped.
    const agedMs = Math.min(view.clockMs, this.#life.ports.answersAgedMs());
    const answers = agedMs < 0 ? [] : await view.dueAnswers(agedMs, limit);
    const topics = [...new Set(answers.map((answer) => answer.topic))];
    const forgotten = topics.map((topic): CollectStep => {
      return { kind: 'answers', topic, keys: answers.filter((answer) => answer.topic === topic) };
    });
    // No time is before 1970, where a cluster's clock may stand all the same.
    const rows = await view.dueEnded(Math.max(0, view.clockMs - this.#config.endedKeepMs), limit);
    const ended: CollectStep[] = rows.length > 0 ? [{ kind: 'ended', rows }] : [];
    const deleted = await this.#deletedGroup(view, limit);
    const swept = sweep === undefined ? [] : await this.#sweptTopic(view, sweep, limit);
    const commands = [forgotten, ended, deleted, swept].filter((steps) => steps.length > 0);
    const isFull = answers.length === limit || rows.length === limit || deleted.length > 0;
    return { commands, hasMore: isFull || this.#sweeps.size > 0 };
  }

  /** The rows of one group that is being deleted. */
  async #deletedGroup(view: View, limit: number): Promise<CollectStep[]> {
    const deleting = view
      .topics()
      .flatMap((topic) => view.groups(topic.number))
      .find((group) => group.state === 'deleting');
    if (deleting === undefined) return [];
    const holds = await view.holds(deleting.topic, deleting.number, origin, limit);
    const positions = holds.map((hold) => hold.position);
    const last = holds.length < limit;
    return [{ kind: 'group', topic: deleting.topic, group: deleting.number, holds: positions, last }];
  }

  /** The next stretch of one topic: what stands at or below every group's cursor and no group holds. */
  async #sweptTopic(view: View, [topic, after]: readonly [number, Position], limit: number): Promise<CollectStep[]> {
    const groups = view.groups(topic).filter((group) => group.state === 'active');
    const lowest = lowestCursor(groups);
    const seen = lowest === undefined ? [] : await view.lane(topic, after, lowest, limit);
    const last = seen.at(-1);
    // Another sweep may have been asked for while this one read: then it begins again.
    if (this.#sweeps.get(topic) === after) {
      if (last === undefined || seen.length < limit) this.#sweeps.delete(topic);
      else this.#sweeps.set(topic, last);
    }
    const isDone = (position: Position): boolean =>
      groups.every((group) => view.hold(topic, group.number, position) === undefined);
    const positions = seen.filter(isDone);
    return positions.length === 0 ? [] : [{ kind: 'messages', topic, positions }];
  }
}

/** Undefined without groups: their messages wait for one. */
function lowestCursor(groups: readonly GroupInfo[]): Position | undefined {
  return groups.reduce<Position | undefined>(
    (lowest, { cursor }) => (lowest === undefined || comparePositions(cursor, lowest) < 0 ? cursor : lowest),
    undefined,
  );
}
