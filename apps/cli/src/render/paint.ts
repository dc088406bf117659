const CODES = { green: 32, yellow: 33, red: 31 } as const;

/** Colours a line by its row: green steady, red while a failover may come, yellow for the rest. */
export const painter =
  (color: boolean) =>
  (row: number | null, text: string): string => {
    if (!color) return text;
    const name = row === 800 ? 'green' : row !== null && row >= 400 && row < 500 ? 'red' : 'yellow';
    return `\u001b[${CODES[name]}m${text}\u001b[0m`;
  };
