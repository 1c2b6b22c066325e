// Pages hold every row of their table, as one line each.
import { expect, test } from 'vitest';
import { allSettings } from './config-sources.ts';
import { logEvents } from './log.ts';
import { metricTable } from './metric-table.ts';
import { configurationPage, logEventsPage, metricsPage, startErrorsPage } from './pages.ts';
import { startErrors } from './start-error.ts';

const firstCells = (page: string) => [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);

test('every setting, metric, event and reason has its line', () => {
  expect(firstCells(configurationPage())).toEqual(allSettings.map(({ flag }) => flag));
  expect(firstCells(metricsPage())).toEqual(Object.values(metricTable).map(({ name }) => name));
  expect(firstCells(logEventsPage())).toEqual(Object.keys(logEvents));
  expect(firstCells(startErrorsPage())).toEqual(Object.keys(startErrors));
});

test('a line has as many cells as its head, whatever stands in them', () => {
  for (const page of [configurationPage(), metricsPage(), logEventsPage(), startErrorsPage()]) {
    const cells = page
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) => line.replaceAll('\\|', '').split('|').length);
    expect(new Set(cells).size).toBe(1);
    expect(page).not.toMatch(/undefined|\[object/);
  }
});
