import { readFileSync, writeFileSync } from 'node:fs';
import { runbookIndex } from './runbook-index.js';

/**
 * Writes docs/runbooks/README.md from the tables of alerts and rows. With --check it only compares, and exits 1 when the
 * committed document is stale. Run from the repository's root.
 */
const PATH = 'docs/runbooks/README.md';

const text = runbookIndex();
if (!process.argv.includes('--check')) writeFileSync(PATH, text);
else if (readFileSync(PATH, 'utf8') !== text) {
  process.stderr.write(`${PATH} is stale: node dist/tools/runbooks/main.js\n`);
  process.exitCode = 1;
}
