import { bringAlong, type ConfigCenter, type Pointer } from '#config-center';

export interface FollowerTime {
  monotonicMs(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** The promise's outcome, or a rejection naming `what` after `ms`. */
  limit<T>(promise: Promise<T>, ms: number, what: string): Promise<T>;
}

export type FollowerLog = Readonly<{ warn(fields: object, message: string): void }>;

/**
 * Config centers that follow the authoritative one: brought to the same pointer with bounded retries, listed while behind.
 */
export class FollowerSync {
  private readonly late = new Map<string, Set<string>>(); // group → centers behind
  private readonly newest = new Map<string, number>(); // group/center → epoch being brought
  private readonly running = new Set<Promise<void>>();

  constructor(
    private readonly time: FollowerTime,
    private readonly log: FollowerLog,
    private readonly limits: Readonly<{ attempts: number; retryMs: number }>,
  ) {}

  behind(group: string): readonly string[] {
    return [...(this.late.get(group) ?? [])].toSorted();
  }

  bring(name: string, center: ConfigCenter, pointer: Pointer, leading: AbortSignal | null): void {
    const key = `${pointer.group}/${name}`;
    this.newest.set(key, Math.max(this.newest.get(key) ?? 0, pointer.epoch));
    const late = this.late.get(pointer.group) ?? new Set();
    this.late.set(pointer.group, late.add(name));
    const run = this.follow(name, center, pointer, leading ?? new AbortController().signal).finally(() =>
      this.running.delete(run),
    );
    this.running.add(run);
  }

  async idle(): Promise<void> {
    await Promise.all(this.running);
  }

  private async follow(name: string, center: ConfigCenter, pointer: Pointer, leading: AbortSignal): Promise<void> {
    for (let attempt = 1; attempt <= this.limits.attempts && !leading.aborted; attempt++) {
      if ((this.newest.get(`${pointer.group}/${name}`) ?? 0) > pointer.epoch) return;
      try {
        if (await bringAlong(center, pointer)) {
          this.late.get(pointer.group)?.delete(name);
          return;
        }
      } catch (error) {
        this.log.warn({ center: name, group: pointer.group, attempt, error }, 'a following config center is behind');
      }
      try {
        await this.time.sleep(this.limits.retryMs, leading);
      } catch {
        return; // leadership is over: the next leader brings it along
      }
    }
  }
}
