// What an operator does to the members of a cluster that runs, by its public API and by what stands in docs/members.md: each
// step is asked for until the cluster has done it. One command at a time, as one is told to.
import { type AnswerOf, HoldfastError, type RequestOf, type Verb } from '@holdfast/api';
import { type Carrier, createRetryingCarrier, type NodeCaller } from '@holdfast/client';
import type { Random } from '../random.ts';
import type { Trace } from '../trace.ts';
import { apiOf, type ClientNetwork } from '../world/client-network.ts';
import type { TrueTime } from '../world/clock.ts';
import type { Machine } from '../world/machine.ts';

export interface OperatorOptions {
  /** All that there are, those that stand by among them. */
  readonly machines: readonly Machine[];
  readonly time: TrueTime;
  readonly trace: Trace;
  readonly network: ClientNetwork;
  readonly random: Random;
}

/** Another answer is to be expected soon. The version is agreed on within the first seconds. */
const later: ReadonlySet<string> = new Set([
  'HF_MEMBERS_BUSY',
  'HF_MEMBERS_VERSION',
  'HF_NO_LEADER',
  'HF_OUTCOME_UNKNOWN',
  'HF_STOPPING',
  'HF_UNREACHABLE',
]);
const againMs = 200;
const answeredMs = 1_000;
/** A transfer may come to nothing: its target may be cut off. */
const transferredMs = 3_000;

/** The cluster refuses for good. */
class Refused extends Error {}

type Seen = AnswerOf<'members'>;

export class Operator {
  readonly #options: OperatorOptions;
  readonly #caller: NodeCaller;
  readonly #carrier: Carrier;
  #command: string | undefined;
  #failed: Error | undefined;
  readonly done = { transferred: 0, added: 0, removed: 0, replaced: 0 };

  constructor(options: OperatorOptions) {
    const { machines, time, network, random } = options;
    this.#options = options;
    this.#caller = network.caller('operator');
    this.#carrier = createRetryingCarrier({
      nodes: machines.map(({ id }) => apiOf(id)),
      caller: this.#caller,
      clock: {
        monotonicMs: () => time.nowMs,
        after: (delayMs, callback) => {
          const timer = time.after(delayMs, callback);
          return () => timer.cancel();
        },
      },
      random: () => random.next(),
      randomBytes: (count) => random.bytes(count),
      giveUpAfterMs: 5_000,
    });
  }

  /** The command that is under way. */
  get busyWith(): string | undefined {
    return this.#command;
  }

  /** What no operator may ever meet. */
  get failed(): Error | undefined {
    return this.#failed;
  }

  /** `holdfast cluster transfer [--to-node]` */
  transfer(): void {
    this.#begin('transfer', async () => {
      const { random, time } = this.#options;
      const { leader, members } = await this.#members();
      const voters = members.filter(({ id, role }) => role === 'voter' && id !== leader);
      if (voters.length === 0) return;
      const body = random.chance(0.5) ? {} : { to: random.pick(voters).id };
      const { to } = await this.#asked('transfer', { params: {}, query: {}, body, idempotencyKey: undefined });
      const endsAtMs = time.nowMs + transferredMs;
      while (time.nowMs < endsAtMs) {
        if ((await this.#members()).leader === to) {
          this.done.transferred++;
          return;
        }
        await this.#pause(againMs);
      }
    });
  }

  /** `holdfast cluster add`, of a machine that stood by. */
  add(machine: Machine): void {
    this.#begin(`add ${machine.id}`, () => this.#add(machine));
  }

  /** `holdfast cluster remove` */
  remove(machine: Machine): void {
    this.#begin(`remove ${machine.id}`, () => this.#remove(machine, () => this.#askToRemove(machine)));
  }

  /** `holdfast cluster replace`: by a machine that stood by, or by an empty one of the same name. */
  replace(machine: Machine, by: Machine): void {
    this.#begin(`replace ${machine.id} by ${by.id}`, async () => {
      if (by === machine) await this.#startAnew(machine);
      if (by === machine) await this.#insistOnRemoval(machine);
      // One in a hurry asks for both at once, and is told to wait with the second.
      const isInAHurry = by !== machine && this.#options.random.chance(0.5);
      const remove = (): Promise<void> => this.#remove(machine, () => this.#insistOnRemoval(machine));
      await this.#add(by, async () => {
        if (isInAHurry) await remove();
      });
      if (by !== machine && !isInAHurry) await remove();
      this.done.replaced++;
    });
  }

  #begin(command: string, act: () => Promise<void>): void {
    if (this.#command !== undefined) throw new Error(`the operator is busy: ${this.#command}`);
    this.#command = command;
    this.#note(command);
    act()
      .catch((error: unknown) => {
        if (error instanceof Refused) this.#note('is refused', error.message);
        else this.#failed ??= error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        this.#note('is done with', command);
        this.#command = undefined;
      });
  }

  async #startAnew(machine: Machine): Promise<void> {
    machine.renew();
    machine.start();
    await this.#waitingAt(machine);
  }

  /** @param meanwhile is asked for at the same time */
  async #add(machine: Machine, meanwhile = async (): Promise<void> => {}): Promise<void> {
    if (!machine.inService) await this.#startAnew(machine);
    const { id } = machine;
    const body = { id, ...(await this.#waitingAt(machine)) };
    const asked = this.#asked('addMember', { params: {}, query: {}, body, idempotencyKey: undefined });
    await Promise.all([asked, meanwhile()]);
    for (;;) {
      const { settled, members } = await this.#members();
      const found = members.find((member) => member.id === id && member.incarnation === body.incarnation);
      if (found === undefined) throw new Error(`${id} was taken in, and is no member`);
      if (settled && found.role === 'voter') break;
      await this.#pause(againMs);
    }
    // Who founded a cluster alone would found another one after it has lost its directory.
    for (const other of this.#options.machines) if (other.founders.length === 1) other.join();
    this.done.added++;
  }

  /** A machine that is removed and runs must stop by itself; some are switched off before that. */
  async #remove(machine: Machine, ask: () => Promise<void>): Promise<void> {
    machine.leaving = true;
    machine.stoppedBy = undefined;
    await ask().catch((error: unknown) => {
      machine.leaving = false;
      throw error;
    });
    this.done.removed++;
    // One that is left alone opens no port by which the other could be told.
    const isTold = machine.damaged === undefined && (await this.#members()).members.length > 1;
    if (isTold && this.#options.random.chance(0.7)) await this.#stopped(machine);
    machine.retire();
  }

  async #stopped(machine: Machine): Promise<void> {
    while (machine.stoppedBy !== 'HF_REMOVED_MEMBER') await this.#pause(againMs);
  }

  /** Refused as long as too few of the others can be reached; they come back. */
  async #insistOnRemoval(machine: Machine): Promise<void> {
    for (;;) {
      try {
        return await this.#askToRemove(machine);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
      }
      await this.#pause(againMs);
    }
  }

  async #askToRemove({ id }: Machine): Promise<void> {
    const request: RequestOf<'removeMember'> = {
      params: { id },
      query: {},
      body: undefined,
      idempotencyKey: undefined,
    };
    await this.#asked('removeMember', request);
    while (!(await this.#members()).settled) await this.#pause(againMs);
  }

  /** What a node says that waits to be taken in. */
  async #waitingAt({ id }: Machine): Promise<NonNullable<AnswerOf<'cluster'>['waiting']>> {
    const request: RequestOf<'cluster'> = { params: {}, query: {}, body: undefined, idempotencyKey: undefined };
    for (;;) {
      const patience = new AbortController();
      const timer = this.#options.time.after(answeredMs, () => patience.abort());
      const answer = await this.#caller.call(apiOf(id), 'cluster', request, patience.signal).catch(() => undefined);
      timer.cancel();
      if (answer?.waiting !== undefined) return answer.waiting;
      await this.#pause(againMs);
    }
  }

  #members(): Promise<Seen> {
    return this.#asked('members', { params: {}, query: {}, body: undefined, idempotencyKey: undefined });
  }

  /** @throws Refused */
  async #asked<V extends Verb>(verb: V, request: RequestOf<V>): Promise<AnswerOf<V>> {
    for (;;) {
      try {
        return await this.#carrier.call(verb, request, {});
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
        if (error.code === 'HF_MEMBERS_REFUSED') throw new Refused(error.message);
        if (!later.has(error.code)) throw error;
      }
      await this.#pause(againMs);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.time.after(ms, resolve));
  }

  #note(event: string, ...facts: readonly string[]): void {
    this.#options.trace.note('operator', event, ...facts);
  }
}
