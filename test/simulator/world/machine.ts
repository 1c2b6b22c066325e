// One machine: a disk and a clock that last, and a process on it that comes and goes.
import type { NodeId } from '@holdfast/raft';
import {
  createMember,
  type Member,
  type MemberConfig,
  type MemberLog,
  type MemberPorts,
  RaftError,
} from '@holdfast/server';
import type { Random } from '../random.ts';
import type { Trace } from '../trace.ts';
import type { ClientNetwork, Door } from './client-network.ts';
import type { MachineClock, TrueTime } from './clock.ts';
import type { Disk } from './disk.ts';
import { createFirstMember } from './first-build.ts';
import type { Network } from './network.ts';
import { createProcess, type Process } from './process.ts';
import type { Tree } from './sorted-map.ts';

/** One start of the process until its end. */
interface Life {
  readonly process: Process;
  /** Undefined until it has opened its directory. */
  member: Member | undefined;
  fatal: Error | undefined;
}

export type Build = 'present' | 'first';
const creators = { present: createMember, first: createFirstMember } as const;

export interface MachineOptions {
  readonly id: NodeId;
  readonly config: MemberConfig;
  /** What it starts with, until it is upgraded. */
  readonly build: Build;
  readonly time: TrueTime;
  readonly clock: MachineClock;
  /** Its wall clock may say anything. */
  readonly wildClock: boolean;
  readonly disk: Disk;
  readonly random: Random;
  readonly trace: Trace;
  readonly network: Network;
  readonly requests: ClientNetwork;
  /** A node that says that it must stop, and why. */
  readonly onStopped: (machine: Machine, error: Error) => void;
}

export class Machine {
  readonly #options: MachineOptions;
  build: Build;
  upgradedAtMs: number | undefined;
  #config: MemberConfig;
  #life: Life | undefined;
  /** Vanished without a reset: connections to it hang instead of being refused. */
  #silent = false;
  starts = 0;
  /** So many things ran on it since somebody looked. */
  touched = 0;
  /** Its directory was damaged or lost: it may refuse to start for ever. */
  damaged: string | undefined;
  /** Others than those in service are switched off, and keep nothing. */
  inService: boolean;
  /** Its removal was asked for: it is to stop when it learns of that. */
  leaving = false;
  /** What stood in directories that are lost or of no use any more. */
  readonly graves: { readonly tree: Tree; readonly founders: readonly NodeId[] }[] = [];
  /** The code with which its process stopped last. */
  stoppedBy: string | undefined;
  #expectsStop = false;
  #mayRunOut = false;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.build = options.build;
    this.#config = options.config;
    this.inService = options.config.join !== true;
  }

  get id(): NodeId {
    return this.#options.id;
  }

  get disk(): Disk {
    return this.#options.disk;
  }

  get clock(): MachineClock {
    return this.#options.clock;
  }

  get wildClock(): boolean {
    return this.#options.wildClock;
  }

  get process(): Process | undefined {
    return this.#life?.process;
  }

  /** Undefined while no process runs. */
  get member(): Member | undefined {
    return this.#life?.fatal === undefined ? this.#life?.member : undefined;
  }

  /** Otherwise it is gone for the others, though its process may wait for its disk. */
  get isOpen(): boolean {
    return this.#options.network.isOpen(this.id);
  }

  get running(): boolean {
    return this.#life !== undefined;
  }

  /** It may stop by itself: a fault that it must not survive was done to it. */
  get mayStop(): boolean {
    return this.damaged !== undefined || this.#expectsStop || this.#mayRunOut;
  }

  /** Who founded the cluster, as it was told; nobody where it waits to be taken in. */
  get founders(): readonly NodeId[] {
    return this.#config.join === true ? [] : this.#config.peers.map(({ id }) => id);
  }

  /** Something happens to its directory; what stood in it until now may be what others have let go of. */
  bury(): void {
    if (this.damaged === undefined && !this.disk.empty)
      this.graves.push({ tree: this.disk.tree, founders: this.founders });
  }

  /** Switched off for good. */
  retire(): void {
    this.kill({ told: true, power: false });
    this.bury();
    this.inService = false;
    this.leaving = false;
    this.#options.trace.note(this.id, 'is out of service');
  }

  /** Another machine under this name: an empty disk, and nothing known but its own addresses. */
  renew(): void {
    this.kill({ told: true, power: false });
    if (this.inService) this.bury();
    this.disk.wipe();
    this.disk.mend();
    this.makeRoom();
    this.damaged = undefined;
    this.leaving = false;
    this.stoppedBy = undefined;
    this.inService = true;
    const self = this.#config.peers.filter(({ id }) => id === this.id);
    this.#config = { ...this.#config, peers: self, join: true };
    this.#options.trace.note(this.id, 'is new');
  }

  /** From its next start on it founds nothing, also where its directory is lost meanwhile. */
  join(): void {
    this.#config = { ...this.#config, join: true };
  }

  /** From its next start on. */
  upgrade(): void {
    this.build = 'present';
    this.upgradedAtMs = this.#options.time.nowMs;
  }

  expectStop(): void {
    this.#expectsStop = true;
  }

  /** Others fill its disk up to `freeBytes`, unless it is filled already. `alone`: the others have room and go on, so it may come to its last byte. */
  fillDisk(freeBytes: number, how: { readonly alone: boolean }): void {
    if (this.disk.freeBytes() < Number.MAX_SAFE_INTEGER) return;
    this.#mayRunOut = how.alone;
    this.disk.limit(freeBytes);
    this.#options.trace.note(this.id, 'its disk has left', freeBytes);
  }

  makeRoom(): void {
    this.#mayRunOut = false;
    this.disk.unlimit();
    this.#options.trace.note(this.id, 'its disk has room');
  }

  /** For those who send it requests. */
  door(): Door | 'refused' | 'silent' {
    const { member } = this;
    if (this.#life !== undefined && member !== undefined) {
      return { id: this.id, process: this.#life.process, service: member.service };
    }
    if (this.#life !== undefined) return 'refused';
    return this.#silent ? 'silent' : 'refused';
  }

  start(): void {
    if (this.#life !== undefined || !this.inService) return;
    const config = this.#config;
    const { id, time, clock, disk, random, trace, network, requests } = this.#options;
    this.starts++;
    this.#silent = false;
    const process = createProcess(id, time, () => {
      this.touched++;
    });
    const chance = random.fork(`${id} life ${this.starts}`);
    trace.note(id, 'starts', this.starts);
    this.#expectsStop = false;
    const life: Life = { process, member: undefined, fatal: undefined };
    this.#life = life;
    const ports: MemberPorts = {
      database: disk.open(process),
      disk: { freeBytes: async () => disk.freeBytes(), writingMs: () => disk.writingMs() },
      transport: network.transport(id, process, () => clock.wallMs()),
      clock: {
        monotonicMs: () => clock.monotonicMs(),
        wallMs: () => clock.wallMs(),
        after: (delayMs, callback) => {
          const trueMs = delayMs <= 0 ? 0 : clock.trueMs(Math.max(1, delayMs)) + chance.next() * 0.3;
          const timer = process.after(trueMs, delayMs <= 0 ? 'socket' : 'timer', callback);
          return () => timer.cancel();
        },
      },
      random: () => chance.next(),
      randomBytes: (count) => chance.bytes(count),
      log: logTo(trace, id),
      forward: (to, verb, request, { signal }) => {
        const door = this.door();
        if (typeof door === 'string') return new Promise(() => {});
        return requests.forward(door, to.id, verb, request, signal);
      },
      onFatal: (error) => this.#mustStop(process, error),
      onDelivered: () => {},
    };
    const run = async (): Promise<void> => {
      life.member = await creators[this.build](config, ports);
      await life.member.start();
    };
    run().catch((error: unknown) => this.#mustStop(process, asError(error)));
  }

  /** SIGTERM. @param onEnded called when the process has ended by itself, and nothing else has ended it before */
  stop(onEnded: () => void): void {
    const life = this.#life;
    if (life === undefined) return;
    this.#options.trace.note(this.id, 'is told to stop');
    const end = (): void => {
      if (this.#life !== life) return;
      this.kill({ told: true, power: false });
      onEnded();
    };
    life.process.arrive('socket', () => {
      if (life.member === undefined) return end();
      life.member.stop().then(end, (error: unknown) => this.#mustStop(life.process, asError(error)));
    });
  }

  /** `kill -9`, or the machine vanishes (`told` false), or loses its power (its disk forgets what was not synced). */
  kill({ told, power }: { readonly told: boolean; readonly power: boolean }): void {
    if (this.#life === undefined) return;
    const { network, requests, disk, trace, id } = this.#options;
    const { process } = this.#life;
    process.kill();
    this.#life = undefined;
    this.#silent = !told;
    const lost = power ? disk.powerLost() : (disk.processDied(), 0);
    trace.note(id, power ? 'loses power' : 'is killed', told ? 'told' : 'in silence', 'batches lost', lost);
    network.processDied(id, told);
    requests.processDied(process, told);
  }

  /** Told by the member itself: the process ends a moment later, as a real one would. */
  #mustStop(process: Process, error: Error): void {
    const life = this.#life;
    if (life === undefined || life.process !== process || life.fatal !== undefined) return;
    life.fatal = error;
    this.stoppedBy = error instanceof RaftError ? error.code : error.message;
    this.#options.trace.note(this.id, 'must stop', error.message);
    this.#options.onStopped(this, error);
    this.#options.time.after(1, () => {
      if (this.#life === life) this.kill({ told: true, power: false });
    });
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

function logTo(trace: Trace, id: NodeId): MemberLog {
  const note = (fields: Readonly<Record<string, unknown>> & { readonly event: string }, sentence: string): void => {
    const { event, ...facts } = fields;
    trace.note(id, event, sentence, ...Object.entries(facts).map(([name, value]) => `${name}=${textOf(value)}`));
  };
  return { info: note, warn: note, error: note };
}

function textOf(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
}
