import { expect, test } from 'vitest';
import { createOutput, figure, table } from './print.ts';

test('figures are grouped', () => {
  expect([0, 999, 1_000, 1_234_567, 1234.5].map(figure)).toEqual(['0', '999', '1,000', '1,234,567', '1,234.5']);
});

test('columns are as wide as their widest cell, numbers stand to the right', () => {
  expect(
    table(
      ['node', 'late'],
      [
        ['n1', 5],
        ['node-2', 1_000],
      ],
    ),
  ).toBe(['  node      late', '  n1           5', '  node-2   1,000'].join('\n'));
});

test('a program gets one line of JSON and nothing else', () => {
  const written: string[] = [];
  const output = createOutput(true, (text) => void written.push(text));
  output.say('working ...');
  output.result('done', { count: 1 });
  expect(written).toEqual(['{"count":1}\n']);
  createOutput(false, (text) => void written.push(text)).result('done', {});
  expect(written.at(-1)).toBe('done\n');
});
