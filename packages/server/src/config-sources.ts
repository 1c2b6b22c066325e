// Flags, then environment (HOLDFAST_*), then defaults: each setting is taken from the first that has it, and an error says
// from where it was taken. A name that nobody knows stops the start, because a misspelt setting is a setting not made.
import { z } from 'zod';
import { addressText, type NodeConfig, type NodeConfigInput, nodeConfig, settings } from './config.ts';
import type { Peer } from './member.ts';
import { StartError } from './start-error.ts';

/** One setting as a person meets it. */
export interface Setting {
  readonly path: readonly string[];
  readonly flag: string;
  readonly variable: string;
  readonly kind: 'text' | 'number' | 'boolean';
  /** As a person would write it; empty when there is nothing to write. */
  readonly byDefault: string;
  readonly says: string;
}

const words = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function settingsOf(schema: z.ZodObject, above: readonly string[] = []): Setting[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(schema.shape).flatMap(([name, field]) => {
    const inner = field instanceof z.ZodDefault ? field.unwrap() : field;
    const path = [...above, name];
    if (inner instanceof z.ZodObject) return settingsOf(inner, path);
    const property = properties[name];
    const known = typeof property === 'object' ? property : {};
    const kind = known.type === 'boolean' ? 'boolean' : known.type === 'integer' ? 'number' : 'text';
    const flag = `--${words(name)}`;
    const variable = `HOLDFAST_${words(name).replaceAll('-', '_').toUpperCase()}`;
    return [
      {
        path,
        flag,
        variable,
        kind,
        byDefault: shown(field instanceof z.ZodDefault ? field.parse(undefined) : undefined),
        says: known.description ?? '',
      },
    ];
  });
}

/** As a person would write it. */
function shown(value: unknown): string {
  if (Array.isArray(value))
    return value.map(({ id, peer, api }: Peer) => `${id}=${peer}/${api.replace('http://', '')}`).join(',');
  if (value !== null && typeof value === 'object' && 'host' in value && 'port' in value) {
    return addressText({ host: String(value.host), port: Number(value.port) });
  }
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Every setting, in the order of the schema; `timing` is flat here. */
export const allSettings: readonly Setting[] = settingsOf(settings);

interface Given {
  readonly setting: Setting;
  readonly text: string;
  readonly origin: string;
}

/**
 * Reads the settings of a node.
 *
 * @param args as they follow the command's name: `--id n1 --pretty --listen=127.0.0.1:7401`
 * @throws StartError HF_CONFIG, with a sentence for each fault that names the setting and where it came from
 */
export function readConfig(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): NodeConfig {
  const faults: string[] = [];
  const given = [...fromEnvironment(environment, faults), ...fromFlags(args, faults)];
  const bySetting = new Map(given.map((one) => [one.setting, one]));
  const input: Record<string, unknown> = {};
  for (const { setting, text } of bySetting.values()) put(input, setting, text);
  const parsed = nodeConfig.safeParse(input);
  if (!parsed.success) {
    faults.push(...parsed.error.issues.map((issue) => sentence(issue.path.map(String), issue.message, bySetting)));
  }
  if (!parsed.success || faults.length > 0) throw new StartError('HF_CONFIG', `${faults.join('\n  ')}\n `);
  return parsed.data;
}

/**
 * The same for a program that writes its settings as an object.
 *
 * @throws StartError HF_CONFIG
 */
export function parseConfig(input: NodeConfigInput): NodeConfig {
  const parsed = nodeConfig.safeParse(input);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`.trim());
  throw new StartError('HF_CONFIG', `${faults.join('\n  ')}\n `);
}

/** Every setting with its value, one a line, as flags; whether there is a secret, and not which. */
export function printConfig(config: NodeConfig): string {
  const lines = allSettings.map(({ path, flag }) => {
    const value = path.reduce<unknown>((at, name) => (isRecord(at) ? at[name] : undefined), config);
    const isSecret = path[0] === 'peerSecret' && value !== '';
    return `${flag}=${isSecret ? '(not printed)' : shown(value)}`;
  });
  return `${lines.join('\n')}\n`;
}

/**
 * Variables that Kubernetes sets in every container of a namespace that has a service named `holdfast`, or `holdfast-api`: no
 * person has set them. `HOLDFAST_PORT` may be meant as a setting, too; theirs is a URL.
 */
const serviceLinks =
  /^HOLDFAST_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST=|SERVICE_PORT(?:_[A-Z0-9_]+)?=|PORT_\d+_(?:TCP|UDP|SCTP)(?:_[A-Z]+)?=|PORT=\w+:\/\/)/;

function fromEnvironment(environment: Readonly<Record<string, string | undefined>>, faults: string[]): Given[] {
  return Object.entries(environment).flatMap(([name, text]) => {
    if (!name.startsWith('HOLDFAST_') || text === undefined || serviceLinks.test(`${name}=${text}`)) return [];
    const setting = allSettings.find(({ variable }) => variable === name);
    if (setting !== undefined) return [{ setting, text, origin: `the environment, ${name}` }];
    faults.push(
      unknownName(
        name,
        allSettings.map(({ variable }) => variable),
      ),
    );
    return [];
  });
}

function fromFlags(args: readonly string[], faults: string[]): Given[] {
  const given: Given[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const [flag = '', ...rest] = (args[at] ?? '').split('=');
    const setting = allSettings.find((candidate) => candidate.flag === flag);
    if (setting === undefined) {
      faults.push(
        unknownName(
          flag,
          allSettings.map((candidate) => candidate.flag),
        ),
      );
      if (rest.length === 0 && args[at + 1]?.startsWith('--') === false) at += 1;
      continue;
    }
    const origin = `the flag ${flag}`;
    if (rest.length > 0) given.push({ setting, text: rest.join('='), origin });
    else if (setting.kind === 'boolean') given.push({ setting, text: 'true', origin });
    else if (args[at + 1]?.startsWith('--') ?? true) faults.push(`${flag} needs a value.`);
    else given.push({ setting, text: args[(at += 1)] ?? '', origin });
  }
  return given;
}

function put(input: Record<string, unknown>, { path, kind }: Setting, text: string): void {
  const [first = '', second] = path;
  const value = valueOf(kind, text);
  if (second === undefined) {
    input[first] = value;
    return;
  }
  const inner = input[first];
  input[first] = { ...(isRecord(inner) ? inner : {}), [second]: value };
}

/** What is no number or boolean stays text, so that the schema refuses it by its own sentence. */
function valueOf(kind: Setting['kind'], text: string): unknown {
  if (kind === 'number' && /^-?\d+(?:\.\d+)?$/.test(text)) return Number(text);
  if (kind === 'boolean' && (text === 'true' || text === '1')) return true;
  if (kind === 'boolean' && (text === 'false' || text === '0')) return false;
  return text;
}

function sentence(path: readonly string[], message: string, given: ReadonlyMap<Setting, Given>): string {
  const setting = allSettings.find((candidate) => candidate.path.every((name, at) => path[at] === name));
  if (setting === undefined) return `${path.join('.')} ${message}`;
  const origin = given.get(setting)?.origin;
  return `${setting.flag} ${message} (${origin === undefined ? 'The default.' : `From ${origin}.`})`;
}

function unknownName(name: string, known: readonly string[]): string {
  const [nearest] = known
    .map((candidate) => ({ candidate, steps: stepsBetween(name, candidate) }))
    .sort((a, b) => a.steps - b.steps);
  const hint = nearest !== undefined && nearest.steps <= name.length / 2 ? ` Did you mean ${nearest.candidate}?` : '';
  return `There is no setting "${name}".${hint}`;
}

/** How many letters must be added, dropped or changed (Levenshtein). */
function stepsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let at = 0; at < from.length; at += 1) {
    const next = [at + 1];
    for (let other = 0; other < to.length; other += 1) {
      const change = (row[other] ?? 0) + (from[at] === to[other] ? 0 : 1);
      next.push(Math.min(change, (row[other + 1] ?? 0) + 1, (next[other] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
