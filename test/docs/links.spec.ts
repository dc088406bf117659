import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

// A document that sends its reader to a file or a command that is not there has already cost his trust.
const ROOT = new URL('../../', import.meta.url).pathname;
const inDocs = readdirSync(join(ROOT, 'docs')).filter((f) => f.endsWith('.md'));
const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'examples/README.md',
  ...inDocs.map((f) => `docs/${f}`),
];
const PATH = /^(apps|libs|tools|test|docs|examples|proto|deploy)\/[\w./-]+$/;

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const targets = (makefile: string): Set<string> =>
  new Set([...makefile.matchAll(/^([a-z-]+(?: [a-z-]+)*):/gm)].flatMap((m) => (m[1] ?? '').split(' ')));

describe.each(DOCUMENTS)('%s', (file) => {
  const text = read(file);

  it('links to files that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].flatMap((m) => m[1] ?? []);
    expect(links.filter((link) => !existsSync(join(ROOT, dirname(file), link)))).toEqual([]);
  });

  it('names paths that exist', () => {
    const paths = [...text.matchAll(/`([^`\n]+)`/g)].flatMap((m) => m[1] ?? []).filter((token) => PATH.test(token));
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('names make targets that exist', () => {
    const known = targets(read('Makefile'));
    const named = [...text.matchAll(/`?make ([a-z-]+)/g)].flatMap((m) => m[1] ?? []);
    const commands = named.filter((word) => text.includes(`\`make ${word}`) || text.includes(`\nmake ${word}`));
    expect(commands.filter((word) => !known.has(word))).toEqual([]);
  });
});
