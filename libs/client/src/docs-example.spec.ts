import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

it('docs/clients.md shows the very code that is compiled and run', () => {
  const code = read('test/integration/client-example.ts')
    .match(/clients\.md begins\n([^]*)\/\/ docs/)?.[1]
    ?.trim();
  expect(read('docs/clients.md')).toContain(`\`\`\`ts\n${code}\n\`\`\``);
});
