import type { SilentGap } from './facts.js';

const TOLD: Readonly<Record<SilentGap['kind'], string>> = {
  purged: 'were removed from the source before they were copied',
  recreated:
    'of a topic that was deleted and made anew are not in the copy; the others stand behind those of the old one',
  recopied: 'were copied twice: MirrorMaker began at the first record again',
};
const NAMED = 5;

/** One sentence per kind, with how many records and where. */
export const gapTexts = (gaps: readonly SilentGap[]): readonly string[] =>
  (Object.keys(TOLD) as SilentGap['kind'][]).flatMap((kind) => {
    const own = gaps.filter((g) => g.kind === kind);
    if (own.length === 0) return [];
    const records = own.reduce((sum, g) => sum + (g.records ?? 0), 0);
    const count = own.every((g) => g.records !== null) ? `${records} records` : `at least ${records} records`;
    const places = own.slice(0, NAMED).map((g) => `${g.topic}-${g.partition}`);
    const more = own.length > NAMED ? ` and ${own.length - NAMED} more` : '';
    return [`${count} ${TOLD[kind]}: ${places.join(', ')}${more}`];
  });
