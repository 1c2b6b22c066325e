// What was typed behind the name of a command of this folder. What can not be meant ends the process with 2 and a sentence,
// before anything starts: a run over no seeds would pass.
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** Like parseArgs of Node; an unknown option, or one without its value, is a sentence. */
export function commandLine<const Config extends ParseArgsConfig>(
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/** @param least 1 for what is counted; 0 for what is numbered, such as seeds */
export function wholeNumber(option: string, text: string, least: 0 | 1): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  return refuse(`--${option} is "${text}", but must be a whole number of ${least} or more`);
}

/** @returns the seed that was said, or any */
export function seedOf(text: string | undefined): number {
  return text === undefined ? Math.floor(Math.random() * 2 ** 31) : wholeNumber('seed', text, 0);
}

export function oneOf<const Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  return (
    names.find((name) => name === text) ?? refuse(`--${option} is "${text}", but must be one of ${names.join(', ')}`)
  );
}

export function refuse(sentence: string): never {
  console.error(sentence);
  process.exit(2);
}
