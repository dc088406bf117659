/** One figure of the bench: a value, and what it is held against. */
export type Figure = Readonly<{
  what: string;
  value: string; // with its unit
  floor: string; // the peer of the same run; empty: none
  ratio: number | null; // value over floor
  goal: string;
  verdict: 'met' | 'MISSED' | ''; // empty: no goal
}>;

export type Section = Readonly<{
  name: SectionName;
  about: string; // what is held against what, and why that floor
  figures: readonly Figure[];
  brokenGates: readonly string[]; // counts that must hold: these make the bench fail
  data: Readonly<Record<string, unknown>>; // for the JSON
}>;

export const SECTION_NAMES = ['decide', 'offsets', 'intake', 'sampling', 'switch', 'client'] as const;
export type SectionName = (typeof SECTION_NAMES)[number];

/** A figure with a limit: at most `limit` meets it. */
export function atMost(
  figure: Readonly<{ what: string; value: string; floor?: string; measured: number; limit: number; goal: string }>,
): Figure {
  const { what, value, floor = '', measured, limit, goal } = figure;
  return {
    what,
    value,
    floor,
    ratio: floor === '' ? null : measured,
    goal,
    verdict: measured <= limit ? 'met' : 'MISSED',
  };
}

/** A figure that is only told. */
export function told(what: string, value: string, floor = '', ratio: number | null = null): Figure {
  return { what, value, floor, ratio, goal: '', verdict: '' };
}
