// The verdict on one image.
import { HoldfastError, type HoldfastStore, type MessageSeen } from 'holdfast';
import { bodyOf, type Facts } from '../record/load.ts';
import { openMember, withStore } from './open-image.ts';
import type { Promised } from './promises.ts';

export interface Verdict {
  /** With what the start was refused. */
  readonly refused: { readonly code: string; readonly message: string } | undefined;
  /** What was acknowledged and is not there. */
  readonly lost: readonly string[];
  /** What does not fit together. */
  readonly holes: readonly string[];
  /** Promises that were looked at. */
  readonly checked: number;
}

export interface Due {
  readonly facts: Facts;
  /** Everything that had left the node's sockets when the power went. */
  readonly promised: readonly Promised[];
  /** Wall time of that moment: what a client had asked for by then may have happened without an answer. */
  readonly atMs: number;
}

export async function checkImage(dataDir: string, id: string, due: Due): Promise<Verdict> {
  const lost: string[] = [];
  try {
    await withStore(dataDir, (store) => lookUp(store, due, lost));
    const { faults } = await openMember(dataDir, id, [id]);
    return { refused: undefined, lost, holes: faults, checked: due.promised.length };
  } catch (error) {
    return refusal(error, lost);
  }
}

export function refusal(error: unknown, lost: readonly string[]): Verdict {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'without a code';
  const message = error instanceof Error ? error.message : String(error);
  return { refused: { code, message }, lost, holes: [], checked: 0 };
}

async function lookUp(store: HoldfastStore, due: Due, lost: string[]): Promise<void> {
  const { facts, promised, atMs } = due;
  const known = new Map<string, MessageSeen | undefined>();
  const topic = store.topic(facts.topic);
  for (const { kind, id, group } of promised) {
    if (!known.has(id)) known.set(id, await ifThere(topic.get(id)));
    const seen = known.get(id);
    const name = `message ${facts.messages[id]} (${id})`;
    if (kind === 'scheduled') {
      const fault = faultOfMessage(seen, id, facts, atMs);
      if (fault !== undefined) lost.push(`${name} was scheduled, and ${fault}`);
    } else if (!isDone(seen, group)) {
      lost.push(`${name} was acknowledged in ${group}, and is ${seen?.state} ${JSON.stringify(seen?.groups)}`);
    }
  }
}

async function ifThere(asked: Promise<MessageSeen>): Promise<MessageSeen | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof HoldfastError && error.code.endsWith('_NOT_FOUND')) return undefined;
    throw error;
  }
}

function isDone(seen: MessageSeen | undefined, group: string | undefined): boolean {
  if (seen === undefined) return false;
  return seen.state === 'delivered' || seen.groups.some((of) => of.group === group && of.state === 'done');
}

function faultOfMessage(seen: MessageSeen | undefined, id: string, facts: Facts, atMs: number): string | undefined {
  if (seen === undefined) return 'is not there';
  if (seen.state === 'delivered') {
    // A message without a row counts as delivered: so it must have been asked for.
    const asked = facts.groups.every((group) => (facts.ackAskedMs[`${group}/${id}`] ?? Infinity) <= atMs);
    return asked ? undefined : 'counts as delivered, though nobody had asked for that';
  }
  if (seen.state !== 'waiting' && seen.state !== 'outstanding') return `is ${seen.state}`;
  return isBody(seen.payload, facts.messages[id] ?? -1) ? undefined : 'has another body';
}

/** Made once: making them costs more than reading them from a store. */
const texts = new Map<number, string>();

function isBody(payload: unknown, number: number): boolean {
  const text = texts.get(number) ?? bodyOf(number).text;
  texts.set(number, text);
  if (typeof payload !== 'object' || payload === null) return false;
  return 'number' in payload && payload.number === number && 'text' in payload && payload.text === text;
}
