/** Time as a port: rules take instants, only the edges own a clock. */
export interface Clock {
  /** Milliseconds on a clock that never steps; comparable only within this process. */
  monotonicMs(): number;
  /** Unix time in milliseconds: for people, expiries and files, never for windows or leases. */
  wallMs(): number;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};

export const CLOCK = Symbol('Clock');

/** RFC 3339 UTC with seconds and milliseconds. */
export const rfc3339 = (wallMs: number): string => new Date(wallMs).toISOString();
