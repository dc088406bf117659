/** One JSON text of a command, as it is printed; null: nothing is. Keeps what it has printed before, for commands that print many. */
export type Shaper = (json: string) => string | null;
