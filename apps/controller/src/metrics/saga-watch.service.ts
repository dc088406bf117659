import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { LEADERSHIP } from '../leadership/leadership.port.js';
import type { Leadership } from '../leadership/leadership.port.js';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore, SagaHead } from '../persistence/authority-store.port.js';
import { GroupMetrics } from './group-metrics.js';
import { METRICS_OPTIONS } from './metrics.options.js';
import type { MetricsOptions } from './metrics.options.js';

const EVERY_MS = 5_000;
/** Looked at per group; more than close between two looks. */
const NEWEST = 20;

/**
 * Counts sagas from their journals, on the leader only, so that the sum over controllers is right and no saga code
 * needs to know of metrics. A saga whose leader dies before the next look is counted by nobody.
 */
@Injectable()
export class SagaWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('metrics');
  /** Per group, of its newest sagas those that were over and need no second look. */
  private readonly seen = new Map<string, Set<string>>();
  private looking: Promise<void> | null = null;
  private readonly startedAtMs = Date.now();
  private timer: NodeJS.Timeout | null = null;

  constructor(
    @Inject(METRICS_OPTIONS) private readonly options: MetricsOptions,
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(GroupMetrics) private readonly metrics: GroupMetrics,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.look(), EVERY_MS);
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    if (this.timer) clearInterval(this.timer);
  }

  /** A look that takes longer than the pause between two is not begun a second time: the pool is the lease's too. */
  look(): Promise<void> {
    this.looking ??= this.lookAtAll().finally(() => {
      this.looking = null;
    });
    return this.looking;
  }

  private async lookAtAll(): Promise<void> {
    try {
      for (const group of this.options.groups) await this.lookAt(group);
    } catch (e) {
      this.log.debug(`sagas not readable: ${String(e)}`);
    }
  }

  private async lookAt(group: string): Promise<void> {
    const closed = (await this.store.sagaHeads(group, NEWEST)).filter((saga) => saga.closedAt !== null);
    const before = this.seen.get(group);
    const seen = new Set(closed.flatMap(({ id }) => (before?.has(id) === true ? [id] : [])));
    this.seen.set(group, seen);
    for (const saga of closed) {
      if (seen.has(saga.id)) continue;
      await this.count(saga);
      seen.add(saga.id);
    }
  }

  private async count({ id, kind, closedAt, outcome }: SagaHead): Promise<void> {
    if (closedAt === null || outcome === null) return;
    if (!this.leadership.current().leading || Date.parse(closedAt) < this.startedAtMs) return;
    const journal = (await this.store.saga(id))?.journal ?? [];
    this.metrics.sagaClosed(kind, outcome);
    for (const done of journal.filter((e) => e.event === 'done' && e.direction === 'do')) {
      const intent = journal.find((e) => e.event === 'intent' && e.direction === 'do' && e.step === done.step);
      if (intent) this.metrics.stepDone(done.step, (Date.parse(done.at) - Date.parse(intent.at)) / 1_000);
    }
  }
}
