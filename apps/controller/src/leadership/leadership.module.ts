import type { BeforeApplicationShutdown, DynamicModule, OnApplicationBootstrap } from '@nestjs/common';
import { Inject, Logger, Module } from '@nestjs/common';
import { systemClock } from '#platform';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore, LeaseHolder } from '../persistence/authority-store.port.js';
import { LEADERSHIP } from './leadership.port.js';
import { LeaseLoop } from './lease-loop.js';
import type { LeaseTimings } from './lease-timings.js';
import { compileTimings } from './lease-timings.js';
import { systemTimers } from './timers.port.js';

export type LeadershipOptions = Readonly<{ me: LeaseHolder; timings: LeaseTimings }>;

/**
 * Gives LEADERSHIP to everybody. Wants AUTHORITY_STORE from a global module. Stands for the lease from the application's
 * start; frees it before the others are shut down, while the store is still open. Bad timings fail here, at composition.
 */
@Module({})
export class LeadershipModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(@Inject(LEADERSHIP) private readonly loop: LeaseLoop) {}

  static forRoot({ me, timings }: LeadershipOptions): DynamicModule {
    compileTimings(timings);
    const log = new Logger('leadership');
    const onError = (error: unknown) => log.warn(error instanceof Error ? error.message : String(error));
    const useFactory = (store: AuthorityStore) =>
      new LeaseLoop({ store, me, timings, clock: systemClock, timers: systemTimers, random: Math.random, onError });
    return {
      module: LeadershipModule,
      global: true,
      providers: [{ provide: LEADERSHIP, inject: [AUTHORITY_STORE], useFactory }],
      exports: [LEADERSHIP],
    };
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }
}
