// Pages of the documentation, printed from the tables that the code itself works by. A test compares them with docs/.
import { backupFaults } from './backup/backup-fault.ts';
import { allSettings } from './config-sources.ts';
import { logEvents } from './log.ts';
import { metricTable } from './metric-table.ts';
import { startErrors } from './start-error.ts';

const cell = (value: unknown) => String(value).replaceAll('|', '\\|').replaceAll('\n', ' ');

function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const line = (cells: readonly unknown[]) => `| ${cells.map(cell).join(' | ')} |\n`;
  return `${line(head)}${line(head.map(() => '---'))}${rows.map(line).join('')}`;
}

/** docs/configuration.md */
export function configurationPage(): string {
  const rows = allSettings.map(({ flag, variable, byDefault, says }) => [
    `\`${flag}\``,
    `\`${variable}\``,
    byDefault === '' ? '' : `\`${byDefault}\``,
    says,
  ]);
  return `# Settings of a node

Read from flags of \`holdfast start\`, then from the environment, then from the defaults. An unknown or impossible setting
stops the start with a sentence that names it. Times are in ms. The variables that Kubernetes gives to containers beside a
service whose name begins with \`holdfast\` (\`HOLDFAST_SERVICE_HOST\`, \`HOLDFAST_PORT=tcp://...\`) are not taken for settings.

${table(['flag', 'environment', 'default', 'what it says'], rows)}`;
}

/** docs/metrics.md */
export function metricsPage(): string {
  const rows = Object.values(metricTable).map(({ name, kind, labels, says, next }) => [
    `\`${name}\``,
    kind,
    labels.map((label) => `\`${label}\``).join(', '),
    says,
    next,
  ]);
  return `# Metrics

\`GET /metrics\` of every node, for Prometheus. The unit is the end of the name.

${table(['metric', 'kind', 'labels', 'what it says', 'when it rises'], rows)}`;
}

/** A part of docs/operating.md */
export function logEventsPage(): string {
  const rows = Object.entries(logEvents).map(([event, { level, means, next }]) => [`\`${event}\``, level, means, next]);
  return table(['event', 'level', 'what it means', 'what to do'], rows);
}

/** A part of docs/errors.md: why a node does not start. */
export function startErrorsPage(): string {
  const rows = Object.entries(startErrors).map(([code, { says, next }]) => [`\`${code}\``, says, next]);
  return table(['code', 'what it says', 'what to do'], rows);
}

/** A part of docs/errors.md: why a backup is not taken, verified or restored. */
export function backupFaultsPage(): string {
  const rows = Object.entries(backupFaults).map(([code, { says, next }]) => [`\`${code}\``, says, next]);
  return table(['code', 'what it says', 'what to do'], rows);
}
