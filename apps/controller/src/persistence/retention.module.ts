import { setTimeout as delay } from 'node:timers/promises';
import {
  Inject,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { LOGGER, type Logger, systemClock } from '#platform';
import { LEADERSHIP, type Leadership } from '../leadership/leadership.port.js';
import { AUTHORITY_STORE, type AuthorityStore } from './authority-store.port.js';
import { RETENTION_DEFAULTS, RetentionJob, type RetentionTime } from './retention-job.js';

const RETENTION_JOB = Symbol('RetentionJob');

const systemTime: RetentionTime = {
  wallMs: () => systemClock.wallMs(),
  sleep: (ms, signal) => delay(ms, undefined, { signal, ref: false }),
};

/** Wants, from global modules: AUTHORITY_STORE, LEADERSHIP, LOGGER. */
@Module({})
export class RetentionModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(RETENTION_JOB) private readonly job: RetentionJob) {}

  static forRoot(options: Readonly<{ controller: string; keepMs: () => number }>): DynamicModule {
    const useFactory = (store: AuthorityStore, leadership: Leadership, log: Logger) =>
      new RetentionJob({ store, leadership, time: systemTime, log }, { ...RETENTION_DEFAULTS, ...options });
    return {
      module: RetentionModule,
      providers: [{ provide: RETENTION_JOB, inject: [AUTHORITY_STORE, LEADERSHIP, LOGGER], useFactory }],
    };
  }

  onApplicationBootstrap(): void {
    this.job.begin();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.job.end();
  }
}
