/** Waking up later, as a port: tests own the time. */
export interface Timers {
  /** Calls `f` once after `ms` of monotonic time (late if the process was busy or frozen). The result cancels it. */
  after(ms: number, f: () => void): () => void;
}

/** Never keeps the process alive: what must live has a server or a stream open. */
export const systemTimers: Timers = {
  after: (ms, f) => {
    const timer = setTimeout(f, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
