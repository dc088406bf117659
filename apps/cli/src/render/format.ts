import type { Shaper } from './shaper.js';

/** What `-o` may ask for. Commands know two: words for people, and JSON; the others are made of the JSON. */
export const FORMATS = ['table', 'json', 'yaml', 'tsv'] as const;
export type Format = (typeof FORMATS)[number];

/** Null: it is printed as it comes. Loaded only where it is asked for. */
export async function shaperOf(format: Format): Promise<Shaper | null> {
  if (format === 'tsv') return (await import('./tsv.js')).tsvShaper();
  if (format !== 'yaml') return null;
  const { stringify } = await import('yaml');
  let before = '';
  return (json) => {
    const text = `${before}${stringify(JSON.parse(json), { lineWidth: 0 }).trimEnd()}`;
    before = '---\n';
    return text;
  };
}
