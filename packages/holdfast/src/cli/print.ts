// Tables for people, one line of JSON for programs.

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export interface Output {
  /** For people, while things happen; says nothing to programs. */
  say(text: string): void;
  /** The result: `text` for people, `facts` for programs. */
  result(text: string, facts: Json): void;
}

export function createOutput(
  json: boolean,
  write: (text: string) => void = (text) => void process.stdout.write(text),
): Output {
  return {
    say(text) {
      if (!json) write(`${text}\n`);
    },
    result(text, facts) {
      write(json ? `${JSON.stringify(facts)}\n` : `${text}\n`);
    },
  };
}

/** Columns as wide as their widest cell; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [head, ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? figure(cell) : cell)))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const isNumber = head.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        isNumber[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('   ')
      .trimEnd();
  return cells.map((row) => `  ${line(row)}`).join('\n');
}

/** 5000 -> '5,000' */
export function figure(value: number): string {
  const [whole = '', fraction] = String(value).split('.');
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
