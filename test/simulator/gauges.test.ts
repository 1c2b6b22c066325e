import { expect, test } from 'vitest';
import { grown, highest } from './gauges.ts';

test('what grows from day to day has grown, and what moves by a few has not', () => {
  const early = { 'turn rows': 1_000, leases: 2, 'log bytes': 50_000 };
  expect(grown(early, { 'turn rows': 1_062, leases: 14, 'log bytes': 56_596 })).toEqual([]);
  expect(grown(early, { ...early, 'turn rows': 1_063 })).toEqual(['turn rows grow from 1000 to 1063, above 1062']);
  expect(grown(early, { ...early, leases: 15 })).toEqual(['leases grow from 2 to 15, above 14']);
  expect(grown(early, { ...early, 'log bytes': 60_000 })).toEqual(['log bytes grow from 50000 to 60000, above 56596']);
});

test('what there was none of may not come in numbers', () => {
  expect(grown({}, { 'rows in 02 20': 13 })).toEqual(['rows in 02 20 grow from 0 to 13, above 12']);
});

test('of several machines the highest counts', () => {
  expect(highest([{ leases: 1 }, {}, { leases: 3, bytes: 7 }])).toEqual({ leases: 3, bytes: 7 });
});
