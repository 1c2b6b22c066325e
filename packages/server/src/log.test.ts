// Lines as programs read them and as people do; and that every event that the code names stands in the table.
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createLog, logEvents } from './log.ts';

function linesOf(pretty: boolean, level: 'info' | 'warn' | 'silent' = 'info') {
  const lines: string[] = [];
  return { lines, log: createLog({ id: 'n1', level, pretty, to: { write: (line: string) => lines.push(line) } }) };
}

test('a line is JSON with its event, its node, its facts and a constant sentence', () => {
  const { lines, log } = linesOf(false);
  log.info({ event: 'node.listening', api: 'http://127.0.0.1:7401' }, 'the API answers');
  expect(lines).toHaveLength(1);
  const { time, ...rest } = JSON.parse(lines[0] ?? '');
  expect(rest).toEqual({
    level: 'info',
    self: 'n1',
    event: 'node.listening',
    api: 'http://127.0.0.1:7401',
    says: 'the API answers',
  });
  expect(Date.parse(time)).toBeGreaterThan(0);
});

test('an error is logged with its stack, for programs and for people', () => {
  const error = new Error('the disk is gone');
  const json = linesOf(false);
  json.log.error({ event: 'node.fatal', error }, 'stopping');
  expect(JSON.parse(json.lines[0] ?? '').error).toMatchObject({ message: 'the disk is gone', stack: error.stack });
  const pretty = linesOf(true);
  pretty.log.error({ event: 'node.fatal', error }, 'stopping');
  expect(pretty.lines[0]).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} ERROR n1 {2}stopping {2}event=node\.fatal error=Error: the disk is gone\n {4}Error: the disk is gone\n {8}at /,
  );
});

test('what is below the level is not written', () => {
  const { lines, log } = linesOf(false, 'warn');
  log.info({ event: 'node.listening' }, 'x');
  log.warn({ event: 'node.insecure' }, 'y');
  expect(lines).toHaveLength(1);
});

test('a line that can not be written is lost, and nothing else', () => {
  // Open to be read: every write fails, as on a disk that is full.
  const fd = openSync(import.meta.filename, 'r');
  try {
    for (const pretty of [false, true]) {
      const log = createLog({ id: 'n1', level: 'info', pretty, to: fd });
      for (let line = 0; line < 3; line += 1) log.info({ event: 'node.listening' }, 'x');
    }
  } finally {
    closeSync(fd);
  }
});

const named = /event: '([^']+)'/g;
const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => readFileSync(`${import.meta.dirname}/${file}`, 'utf8'));

test('every event that the code names stands in the table, and none stands there unused', () => {
  const used = new Set(sources.flatMap((text) => [...text.matchAll(named)].map(([, event]) => event)));
  expect([...used].sort()).toEqual(Object.keys(logEvents).sort());
  expect([..."log.info({ event: 'no.row' }, '')".matchAll(named)].map(([, event]) => event)).toEqual(['no.row']);
});
