/** Who leads, and whether this process may start an effect right now. */
export interface Leadership {
  current(): LeadershipView;
  /** Called after every change of {@link LeadershipView.leading} or of the term. Returns an unsubscribe. */
  onChange(listener: (view: LeadershipView) => void): () => void;
  /** A higher term was heard from an agent or the config center: raise the row above it before acting (I3). */
  heardTerm(term: number): void;
}

export type LeadershipView = Readonly<{
  me: string;
  term: number; // highest known
  leader: Readonly<{ id: string; advertise: string }> | null;
  /** True only while the lease is held AND the renew deadline (own monotonic clock) has not passed. */
  leading: boolean;
  /** Aborted at the instant leadership is lost or its renew deadline passes; present while leading. */
  signal: AbortSignal | null;
}>;

export const LEADERSHIP = Symbol('Leadership');
