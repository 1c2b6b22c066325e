// npm run docs
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printedPages } from './printed.ts';
import { root } from './sources.ts';

for (const [file, print] of Object.entries(printedPages)) writeFileSync(join(root, file), print());
