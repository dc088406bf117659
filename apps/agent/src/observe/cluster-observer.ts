import { answeringBrokers, type ClusterName, type IdcName, type Ms } from '#health';
import type { WatchGroup } from '#failover';
import type { Logger } from '#platform';
import type { ClusterProbe, MonotonicClock, ProbeRound } from '../ports.js';

export type ClusterObserverOptions = Readonly<{
  cluster: ClusterName;
  probe: ClusterProbe;
  periodMs: Ms;
  clock: MonotonicClock;
  logger: Logger;
  /** Called after every round, before the next one starts; `answered`: at least one broker answered ApiVersions. */
  onRound: (cluster: ClusterName, round: ProbeRound, answered: boolean) => void;
}>;

/** After a defect in a probe the next round waits this much longer: a broken loop must not spin. */
const DEFECT_PAUSE_MS = 1_000;

/**
 * One probe round each period, for as long as the agent runs. Rounds never overlap; a late one starts at once but is
 * never made up for, so that a stalled process does not burst.
 */
export class ClusterObserver {
  readonly #options: ClusterObserverOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;

  constructor(options: ClusterObserverOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  setWatch(groups: readonly WatchGroup[], idc: IdcName | null): void {
    this.#options.probe.setWatch(groups, idc);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    // First the sockets: they end a round that is under way.
    await this.#options.probe.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { periodMs, clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      const startedAtMs = clock();
      const defect = await this.#round();
      const pauseMs = defect ? DEFECT_PAUSE_MS : Math.max(0, startedAtMs + periodMs - clock());
      await this.#pause(pauseMs);
    }
  }

  async #round(): Promise<boolean> {
    const { cluster, probe, onRound, logger } = this.#options;
    try {
      const round = await probe.sample();
      if (!this.#stop.signal.aborted) onRound(cluster, round, answeringBrokers(round.sample) > 0);
      return false;
    } catch (error) {
      if (this.#stop.signal.aborted) return false;
      logger.error({ error, cluster }, 'a probe round failed by a defect: this cluster goes stale until one succeeds');
      return true;
    }
  }

  #pause(ms: Ms): Promise<void> {
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done);
    });
  }
}
