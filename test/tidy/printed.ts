// Pages that repeat a table are printed from it: `npm run docs` writes them, a test compares them.
import { errorTable } from '@holdfast/api';
import { raftErrors } from '@holdfast/raft';
import { backupFaultsPage, configurationPage, logEventsPage, metricsPage, startErrorsPage } from '@holdfast/server';

const row = (...cells: readonly string[]) =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |\n`;

function errorsPage(): string {
  let page = `# Errors

Every answer that is an error is \`application/problem+json\` and carries one of these codes. \`applied\` says whether the
request took effect: \`no\` is definite, \`unknown\` is no failure (repeat it with the same key to learn).

${row('code', 'status', 'applied', 'what happened', 'what to do')}${row('---', '---', '---', '---', '---')}`;
  for (const [code, { status, applied, says, next }] of Object.entries(errorTable)) {
    page += row(`\`${code}\``, String(status), applied, says, next);
  }
  page += `\n## A node that does not start, or that its directory stops\n\n${startErrorsPage()}`;
  page += `\n## A backup that can not be used\n\n${backupFaultsPage()}`;
  page += `\n## A member that raft stops, or does not start\n\n${row('code', 'what it says', 'what to do')}${row('---', '---', '---')}`;
  for (const [code, { says, next }] of Object.entries(raftErrors)) page += row(`\`${code}\``, says, next);
  return page;
}

const operatingPage = () => `# What a node logs

JSON lines on standard output (\`--pretty\` for people). \`event\` names the kind of line; the sentence is constant, facts
are fields with their unit in the name. A line that can not be written, on a full disk for example, is lost; the node goes on.

${logEventsPage()}`;

export const printedPages: Readonly<Record<string, () => string>> = {
  'docs/errors.md': errorsPage,
  'docs/configuration.md': configurationPage,
  'docs/metrics.md': metricsPage,
  'docs/operating.md': operatingPage,
};
