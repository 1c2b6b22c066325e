// Pages that repeat a table are printed from it: `npm run docs` writes them, a test compares them.
import { errorTable } from '@holdfast/api';

const heading = (title: string, says: string) => `# ${title}\n\n${says}\n\n<!-- printed by \`npm run docs\`; edit the table, not this page -->\n`;
const row = (...cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |\n`;

function errorsPage(): string {
  let page = heading('Errors', 'Every answer that is an error carries one of these codes. `applied` says whether the request took effect.');
  page += `\n${row('code', 'status', 'applied', 'what happened', 'what to do')}${row('---', '---', '---', '---', '---')}`;
  for (const [code, { status, applied, says, next }] of Object.entries(errorTable)) page += row(`\`${code}\``, String(status), applied, says, next);
  return page;
}

export const printedPages: Readonly<Record<string, () => string>> = { 'docs/errors.md': errorsPage };
