import type { LogDirSpace } from '#failover';
import type { Ms } from '#health';
import type { BrokerNode, ClusterEyes } from '#kafka';

const EVERY_MS = 60_000;

/** Room on the brokers' disks, asked on a slow tick. A broker that does not say it (older than 3.3, no right) is left out. */
export class DiskWatch {
  readonly #eyes: Pick<ClusterEyes, 'logDirs'>;
  #askedAtMs: Ms | null = null;
  #fullest: LogDirSpace | null = null;

  constructor(eyes: Pick<ClusterEyes, 'logDirs'>) {
    this.#eyes = eyes;
  }

  /** Null: no broker has said it. */
  get fullest(): LogDirSpace | null {
    return this.#fullest;
  }

  async refresh(brokers: readonly BrokerNode[], nowMs: Ms, deadlineMs: Ms): Promise<void> {
    if (this.#askedAtMs !== null && nowMs - this.#askedAtMs < EVERY_MS) return;
    this.#askedAtMs = nowMs;
    const answers = await Promise.all(
      brokers.map(async ({ id, address }) => {
        const answer = await this.#eyes.logDirs(address, deadlineMs);
        return answer.ok ? answer.value.map((dir) => ({ broker: id, ...dir })) : [];
      }),
    );
    const byFree = answers.flat().toSorted((x, y) => x.freeBytes / x.totalBytes - y.freeBytes / y.totalBytes);
    this.#fullest = byFree[0] ?? this.#fullest; // silence fills no disk
  }
}
