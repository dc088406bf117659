/** Width in terminal cells of the text this CLI prints: no wide or combining characters occur in it. */
export const width = (text: string): number => Array.from(text).length;

export const padEnd = (text: string, to: number): string => text + ' '.repeat(Math.max(0, to - width(text)));
export const padStart = (text: string, to: number): string => ' '.repeat(Math.max(0, to - width(text))) + text;

const MIN_LAST_COLUMN = 20;

/** A plain table: columns as wide as their widest cell, two blanks apart; the last one wraps under itself. */
export const table = (rows: readonly (readonly string[])[], columns: number): string[] => {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, width(cell))));
  return rows.flatMap((row) => {
    const head = row.slice(0, -1).map((cell, i) => `${padEnd(cell, widths[i] ?? 0)}  `);
    const indent = width(head.join(''));
    const [first = '', ...more] = wrap(row.at(-1) ?? '', Math.max(MIN_LAST_COLUMN, columns - indent), '');
    return [head.join('') + first, ...more.map((line) => ' '.repeat(indent) + line)].map((line) => cut(line, columns));
  });
};

export const cut = (line: string, columns: number): string =>
  width(line) <= columns
    ? line.trimEnd()
    : `${Array.from(line)
        .slice(0, columns - 1)
        .join('')}…`;

/** Breaks at blanks; the first line keeps its own indent, continuation lines start with `indent`. */
export const wrap = (text: string, columns: number, indent: string): string[] => {
  const lines: string[] = [];
  const lead = /^ */.exec(text)?.[0] ?? '';
  let line = lead;
  let bare = true; // nothing but the indent so far: a word too long for the line stays whole
  for (const word of text.trim().split(' ')) {
    if (!bare && width(line) + 1 + width(word) > columns) {
      lines.push(line.trimEnd());
      line = indent;
      bare = true;
    }
    line = bare ? `${line}${word}` : `${line} ${word}`;
    bare = false;
  }
  return [...lines, line.trimEnd()];
};

/** `14:02:31Z` of an RFC 3339 instant. */
export const clock = (iso: string): string => `${iso.slice(11, 19)}Z`;

/** Seconds as people read them: `0.4`, `18.2`, `30`, `3600`. */
export const seconds = (ms: number): string => {
  const s = ms / 1000;
  return Number.isInteger(s) ? String(s) : s.toFixed(1);
};
