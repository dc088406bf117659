import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkoutRoot } from '#lab';
import { flat, treeOf } from '../../apps/cli/src/completion/command-tree.js';
import { EXIT } from '../../apps/cli/src/exit-codes.js';
import { processIo } from '../../apps/cli/src/io.js';
import { loadEnvironment } from '../../apps/cli/src/config/load.js';
import { buildProgram } from '../../apps/cli/src/program.js';

// A script is written against this page.
const page = readFileSync(join(checkoutRoot(), 'docs/cli.md'), 'utf8');

it('docs/cli.md says what each exit status means, and of no other', () => {
  const section = page.split(/^## /m).find((part) => part.startsWith('Exit status')) ?? '';
  const listed = [...section.matchAll(/^\| (\d+) +\| (\S.*?) +\|$/gm)].map((m) => Number(m[1]));
  expect(listed).toEqual(Object.values(EXIT));
});

it('docs/cli.md names every command', () => {
  const io = processIo(process, loadEnvironment({}), new AbortController().signal);
  const commands = flat(treeOf(buildProgram(io, async () => undefined))).filter((c) => c.commands.length === 0);
  const lines = page.split('\n').filter((line) => line.startsWith('pointsman '));
  const missing = commands.filter(({ path }) => {
    const [verb = '', ...rest] = path.split(' ');
    return !lines.some((line) => {
      const words = line.split(/[^\w-]+/);
      return words[1] === verb && rest.every((word) => words.includes(word));
    });
  });
  expect(missing.map((c) => c.path)).toEqual([]);
});
