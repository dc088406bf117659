/** What the bench's server process needs of either intake. */
export type IntakeServer = Readonly<{ port: number; sessions: () => number }>;
