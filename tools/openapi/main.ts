import { readFileSync, writeFileSync } from 'node:fs';
import { openApiDocument } from '../../apps/controller/src/operator/contract/openapi.js';

/**
 * Writes docs/openapi.json from the table of routes. With --check it only compares, and exits 1 when the committed
 * document is stale. Run from the repository's root.
 */
const PATH = 'docs/openapi.json';

const text = `${JSON.stringify(openApiDocument(), null, 2)}\n`;
if (!process.argv.includes('--check')) writeFileSync(PATH, text);
else if (readFileSync(PATH, 'utf8') !== text) {
  process.stderr.write(`${PATH} is stale: npm run api:generate\n`);
  process.exitCode = 1;
}
