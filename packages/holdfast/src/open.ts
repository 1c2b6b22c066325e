// One node in this process, without a port: for programs that want timed messages that survive them, and for tests.
import { randomBytes } from 'node:crypto';
import { createStore, giveUpAfterMsOf, type HoldfastStore } from '@holdfast/client';
import {
  createMember,
  directoryFault,
  type Member,
  type MemberConfig,
  type MemberLog,
  type MemberPorts,
  openDirectory,
  parseConfig,
  soloTransport,
  systemClock,
} from '@holdfast/server';
import { type LocalOptions, localParts } from './local-carrier.ts';

export interface OpenOptions extends LocalOptions {
  /** Made at the first start; locked while it is open. */
  readonly dataDir: string;
  /** Nothing is logged without it. */
  readonly log?: MemberLog;
}

/** What `holdfast/testing` gives: time that a test moves, and a database that is gone with it. */
export interface TestTime {
  readonly clock: MemberPorts['clock'];
  openDatabase(): Promise<Pick<MemberPorts, 'database' | 'disk'> & { readonly close: () => Promise<void> }>;
  /** Lets time pass, which no user sees, until `holds`. */
  runUntil(holds: () => boolean): Promise<void>;
  /** Lets time pass while something ends. */
  runWhile<T>(work: Promise<T>): Promise<T>;
}

const id = 'n1';
const silent: MemberLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** It serves as soon as it has elected itself; a node that does not within this time never will. */
const startMs = 60_000;
const lookMs = 5;

/**
 * Ticks are for elections, and a node on its own has one in its life. Coarse ones make three days pass in a moment.
 */
const timingOnTestTime = {
  tickMs: 60_000,
  heartbeatMs: 120_000,
  electionMinMs: 480_000,
  electionMaxMs: 720_000,
  fastElectionMs: 0,
};

/**
 * Opens a store on a directory, and resolves when it serves.
 *
 * @throws StartError (HF_DIRECTORY_LOCKED, HF_DIRECTORY_DAMAGED and others), RaftError, RangeError for a `giveUpAfter` that
 *         is 0 or too long: nothing was changed
 */
export async function open(options: OpenOptions): Promise<HoldfastStore> {
  const { dataDir, log = silent } = options;
  const giveUpAfterMs = giveUpAfterMsOf(options.giveUpAfter);
  const { timing, graceMs, maxClockSkewMs, minFreeBytes, freeMarginBytes } = parseConfig({ id, dataDir });
  const directory = await openDirectory(dataDir, () => undefined);
  const config = { ...alone, timing, graceMs, maxClockSkewMs, minFreeBytes, freeMarginBytes };
  const codedFault = <E>(error: E) => directoryFault(dataDir, error);
  try {
    const embedded = await embed(config, {
      database: directory.database,
      disk: directory.disk,
      close: () => directory.close(),
      log,
      clock: systemClock,
      codedFault,
    });
    const endsAtMs = performance.now() + startMs;
    while (!embedded.member.status().serving && embedded.fatal() === undefined && performance.now() < endsAtMs)
      await new Promise<void>((resolve) => void systemClock.after(lookMs, resolve));
    return await servingStore(embedded, giveUpAfterMs);
  } catch (error) {
    throw codedFault(error);
  }
}

/** The same on time and memory that a test owns. */
export async function openOnTestTime(time: TestTime): Promise<HoldfastStore> {
  const { graceMs, maxClockSkewMs, minFreeBytes, freeMarginBytes } = parseConfig({ id });
  const limits = { graceMs, maxClockSkewMs, minFreeBytes, freeMarginBytes };
  const config = { ...alone, timing: timingOnTestTime, ...limits };
  const { database, disk, close } = await time.openDatabase();
  const codedFault = (error: Error) => error;
  const embedded = await embed(config, { database, disk, close, log: silent, clock: time.clock, codedFault });
  await time.runUntil(() => embedded.member.status().serving || embedded.fatal() !== undefined);
  return servingStore({ ...embedded, close: () => time.runWhile(embedded.close()) }, giveUpAfterMsOf());
}

const alone = { id, peers: [{ id, peer: 'none', api: 'http://in-this-process' }] } as const;

interface Embedded {
  readonly member: Member;
  readonly service: Member['service'];
  readonly clock: MemberPorts['clock'];
  fatal(): Error | undefined;
  close(): Promise<void>;
}

interface Surroundings {
  readonly database: MemberPorts['database'];
  readonly disk: MemberPorts['disk'];
  readonly clock: MemberPorts['clock'];
  readonly log: MemberLog;
  readonly close: () => Promise<void>;
  /** With what the calls end from then on. */
  readonly codedFault: (error: Error) => Error;
}

async function embed(config: MemberConfig, surroundings: Surroundings): Promise<Embedded> {
  const { database, disk, clock, log, close, codedFault } = surroundings;
  let fatal: Error | undefined;
  const ports: MemberPorts = {
    database,
    disk,
    clock,
    log,
    transport: soloTransport,
    random: Math.random,
    randomBytes: (count) => randomBytes(count),
    forward: () => Promise.reject(new TypeError('A node on its own has nobody to pass a request to.')),
    onFatal(fault) {
      const error = codedFault(fault);
      fatal ??= error;
      log.error({ event: 'node.fatal', error }, 'the node can not go on');
    },
    onDelivered: () => undefined,
  };
  let member: Member | undefined;
  try {
    member = await createMember(config, ports);
    await member.start();
    const { service } = member;
    return { member, service, clock, fatal: () => fatal, close: () => stopAndClose(member, close) };
  } catch (error) {
    // What began to run writes to the database until it is stopped.
    await stopAndClose(member, close);
    throw error;
  }
}

async function stopAndClose(member: Member | undefined, close: () => Promise<void>): Promise<void> {
  try {
    await member?.stop();
  } finally {
    await close();
  }
}

async function servingStore(embedded: Embedded, giveUpAfterMs: number): Promise<HoldfastStore> {
  const error = embedded.fatal();
  if (error === undefined && embedded.member.status().serving) return createStore(localParts(embedded, giveUpAfterMs));
  await embedded.close();
  throw error ?? new Error(`The node did not begin to serve within ${startMs} ms.`);
}
