// Which lines of raft's core were run, as V8 counts it, on the lines of the sources.
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Set for processes that are to count lines. */
export const linesWanted = 'HOLDFAST_SIMULATOR_LINES';

/** By file, as src/core/...: every line with code, and whether it was run. */
export type LineCounts = Readonly<Record<string, Readonly<Record<number, boolean>>>>;

export interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

const folder = '/raft/dist/core/';
let session: Session | undefined;

/** To be called before what is to be counted is loaded. */
export function startLines(): void {
  session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
}

/** What was run since the last call; undefined where nothing is counted. */
export function takeLines(): LineCounts | undefined {
  const found: Record<string, Readonly<Record<number, boolean>>> = {};
  session?.post('Profiler.takePreciseCoverage', (error, { result }) => {
    if (error !== null) throw error;
    for (const { url, functions } of result) {
      const at = url.indexOf(folder);
      if (at === -1 || !url.endsWith('.js')) continue;
      const file = fileURLToPath(url);
      const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
      const built = linesRun(
        readFileSync(file, 'utf8'),
        functions.flatMap(({ ranges }) => ranges),
      );
      const lines: Record<number, boolean> = {};
      for (const { line, column, wasRun } of built) {
        const entry = map.findEntry(line, column);
        if (!('originalLine' in entry)) continue;
        const original = entry.originalLine + 1;
        lines[original] = lines[original] === true || wasRun;
      }
      found[`src/core/${url.slice(at + folder.length).replace(/\.js$/, '.ts')}`] = lines;
    }
  });
  return session === undefined ? undefined : found;
}

interface Line {
  /** From 0. */
  readonly line: number;
  readonly column: number;
  readonly wasRun: boolean;
}

/** Each line that has code. A later range is inside those before it, and counts more. */
export function linesRun(source: string, ranges: readonly Range[]): readonly Line[] {
  const isRun = new Uint8Array(source.length);
  for (const { startOffset, endOffset, count } of ranges) isRun.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  let offset = 0;
  return source.split('\n').flatMap((text, line) => {
    const from = offset;
    offset += text.length + 1;
    const column = text.search(/\S/);
    const hasCode = column !== -1 && /\w/.test(text) && !/^\s*(\/\/|\/\*|\*)/.test(text);
    return hasCode ? [{ line, column, wasRun: isRun.subarray(from + column, from + text.length).includes(1) }] : [];
  });
}

export class LineTally {
  readonly #files = new Map<string, Map<number, boolean>>();

  add(counts: LineCounts): void {
    for (const [file, lines] of Object.entries(counts)) {
      const known = this.#files.get(file) ?? new Map<number, boolean>();
      this.#files.set(file, known);
      for (const [line, wasRun] of Object.entries(lines))
        known.set(Number(line), known.get(Number(line)) === true || wasRun);
    }
  }

  /**
   * For a person: the share, and each line that was not run; empty where nothing was counted.
   * @param root of the package
   */
  says(root: string): readonly string[] {
    if (this.#files.size === 0) return [];
    const missed: string[] = [];
    let all = 0;
    for (const [file, lines] of [...this.#files].sort(([a], [b]) => a.localeCompare(b))) {
      const source = readFileSync(`${root}/${file}`, 'utf8').split('\n');
      all += lines.size;
      for (const [line, wasRun] of [...lines].sort(([a], [b]) => a - b))
        if (!wasRun) missed.push(`    ${file}:${line}  ${source[line - 1]?.trim() ?? ''}`);
    }
    const share = ((100 * (all - missed.length)) / all).toFixed(1);
    return [`of the core's lines ${all - missed.length} of ${all} were run, ${share} %; not:`, ...missed];
  }
}
