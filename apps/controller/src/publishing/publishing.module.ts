import { Global, Module } from '@nestjs/common';
import { LOGGER, systemClock, type Logger } from '#platform';
import { LEADERSHIP, type Leadership } from '../leadership/leadership.port.js';
import { AGENT_GATEWAY, type AgentGateway } from '../observation/observation.port.js';
import { AUTHORITY_STORE, type AuthorityStore } from '../persistence/authority-store.port.js';
import { GroupKeeper } from './group-keeper.js';
import { PublishingLifecycle } from './publishing-lifecycle.js';
import { PUBLISHING_OPTIONS, type PublishingModuleOptions } from './publishing.options.js';
import { PUBLISHING } from './publishing.port.js';
import { PublishingService } from './publishing-service.js';
import { publishingTime } from './publishing-time.js';

/** Gives PUBLISHING. Wants, from global modules: AUTHORITY_STORE, AGENT_GATEWAY, LEADERSHIP, LOGGER, PUBLISHING_OPTIONS. */
@Global()
@Module({
  providers: [
    {
      provide: PublishingService,
      inject: [PUBLISHING_OPTIONS, LEADERSHIP, LOGGER],
      useFactory: (options: PublishingModuleOptions, leadership: Leadership, logger: Logger) =>
        new PublishingService(options.centers, leadership, publishingTime, logger, options.publishing),
    },
    { provide: PUBLISHING, useExisting: PublishingService },
    {
      provide: GroupKeeper,
      inject: [AUTHORITY_STORE, PublishingService, LEADERSHIP, AGENT_GATEWAY, LOGGER, PUBLISHING_OPTIONS],
      useFactory: (
        store: AuthorityStore,
        publishing: PublishingService,
        leadership: Leadership,
        gateway: AgentGateway,
        log: Logger,
        options: PublishingModuleOptions,
      ) =>
        new GroupKeeper(
          { store, publishing, leadership, gateway, log, time: { ...publishingTime, ...systemClock } },
          options.keeper,
        ),
    },
    PublishingLifecycle,
  ],
  exports: [PUBLISHING],
})
export class PublishingModule {}
