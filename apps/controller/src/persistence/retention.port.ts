/** Rows removed, by kind. Votes and explanations are part of the events they belong to. */
export type Forgotten = Readonly<{ events: number; alerts: number; incidents: number; answers: number }>;

export const forgottenTotal = (f: Forgotten): number => f.events + f.alerts + f.incidents + f.answers;
