import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { SagaRecord } from '#failover';
import { LEADERSHIP } from '../leadership/leadership.port.js';
import type { Leadership } from '../leadership/leadership.port.js';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import { GroupMetrics } from './group-metrics.js';
import { METRICS_OPTIONS } from './metrics.options.js';
import type { MetricsOptions } from './metrics.options.js';

const EVERY_MS = 5_000;
const NEWEST = 20;
const REMEMBERED = 1_000;

/**
 * Counts sagas from their journals, on the leader only, so that the sum over controllers is right and no saga code
 * needs to know of metrics. A saga whose leader dies before the next look is counted by nobody.
 */
@Injectable()
export class SagaWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('metrics');
  private readonly seen = new Set<string>();
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

  async look(): Promise<void> {
    try {
      for (const group of this.options.groups) {
        for (const saga of await this.store.sagas(group, NEWEST)) this.count(saga);
      }
    } catch (e) {
      this.log.debug(`sagas not readable: ${String(e)}`);
    }
  }

  private count(saga: SagaRecord): void {
    if (saga.closedAt === null || saga.outcome === null || this.seen.has(saga.id)) return;
    this.seen.add(saga.id);
    if (this.seen.size > REMEMBERED) for (const oldest of this.seen) return void this.seen.delete(oldest);
    if (!this.leadership.current().leading || Date.parse(saga.closedAt) < this.startedAtMs) return;
    this.metrics.sagaClosed(saga.kind, saga.outcome);
    for (const done of saga.journal.filter((e) => e.event === 'done' && e.direction === 'do')) {
      const intent = saga.journal.find((e) => e.event === 'intent' && e.direction === 'do' && e.step === done.step);
      if (intent) this.metrics.stepDone(done.step, (Date.parse(done.at) - Date.parse(intent.at)) / 1_000);
    }
  }
}
