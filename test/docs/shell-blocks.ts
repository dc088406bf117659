import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutRoot } from '#lab';

/** One fenced block of shell: `use` is the word behind `sh` on its fence, empty if there is none. */
export type ShellBlock = Readonly<{ use: string; text: string }>;

/** The shell blocks of a page of `docs/`, in order: what a reader would type, for tests that type it. */
export function shellBlocks(page: string): readonly ShellBlock[] {
  const text = readFileSync(join(checkoutRoot(), 'docs', page), 'utf8');
  return [...text.matchAll(/^( *)```sh(?: (\S+))?\n(.*?)^ *```$/gms)].map(([, indent = '', use = '', block = '']) => ({
    use,
    text: block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

/** The one block of a page that is for this. */
export function shellBlock(page: string, use: string): string {
  const [only, ...more] = shellBlocks(page).filter((block) => block.use === use);
  if (only === undefined || more.length > 0) throw new Error(`docs/${page} has not one block \`sh ${use}\``);
  return only.text;
}
