import type { DynamicModule, OnApplicationShutdown } from '@nestjs/common';
import { Inject, Logger, Module } from '@nestjs/common';
import { AUTHORITY_STORE } from './authority-store.port.js';
import type { AuthorityStore } from './authority-store.port.js';
import type { AuthorityStoreOptions } from './create-authority-store.js';
import { createAuthorityStore } from './create-authority-store.js';

/** Gives AUTHORITY_STORE to everybody: connected and migrated before anything else starts, closed after everything stopped. */
@Module({})
export class PersistenceModule implements OnApplicationShutdown {
  constructor(@Inject(AUTHORITY_STORE) private readonly store: AuthorityStore) {}

  static forRoot(options: AuthorityStoreOptions): DynamicModule {
    const log = new Logger('persistence');
    const onIdleError = (error: unknown) => log.warn(`an idle connection to the store broke: ${String(error)}`);
    return {
      module: PersistenceModule,
      global: true,
      providers: [{ provide: AUTHORITY_STORE, useFactory: () => createAuthorityStore({ onIdleError, ...options }) }],
      exports: [AUTHORITY_STORE],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.store.close();
  }
}
