import { readFileSync, writeFileSync } from 'node:fs';
import { describeTables } from '#failover';

/**
 * Writes docs/decision-matrix.md from the tables that decide. With --check it only compares, and exits 1 when the
 * committed document is stale. Run from the repository's root.
 */
const PATH = 'docs/decision-matrix.md';

function read(): string {
  try {
    return readFileSync(PATH, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

const text = describeTables();
if (!process.argv.includes('--check')) writeFileSync(PATH, text);
else if (read() !== text) {
  process.stderr.write(`${PATH} is stale: node dist/tools/decision-matrix/main.js\n`);
  process.exitCode = 1;
}
