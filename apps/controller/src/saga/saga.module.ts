import {
  Global,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { LOGGER, type Logger } from '#platform';
import { AlertingModule } from '../alerting/alerting.module.js';
import { ALERTING, type Alerting } from '../alerting/alerting.port.js';
import { DecisionModule } from '../decision/decision.module.js';
import { DECISIONS, type Decisions } from '../decision/decision.port.js';
import { LEADERSHIP, type Leadership } from '../leadership/leadership.port.js';
import { AGENT_GATEWAY, type AgentGateway } from '../observation/observation.port.js';
import { AUTHORITY_STORE, type AuthorityStore } from '../persistence/authority-store.port.js';
import { PublishingModule } from '../publishing/publishing.module.js';
import { PUBLISHING, type Publishing } from '../publishing/publishing.port.js';
import { crashAt } from './crash-point.js';
import { runPreHook } from './pre-hook.js';
import { SAGA_OPTIONS, type SagaOptions } from './saga-options.js';
import { SagaRunner } from './saga-runner.js';
import { systemTime } from './saga-time.js';
import { SAGA_DRIVER } from './saga.port.js';

@Injectable()
export class SagaLifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(SagaRunner) private readonly runner: SagaRunner) {}

  onApplicationBootstrap(): void {
    this.runner.begin();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.runner.end();
  }
}

/** Gives SAGA_DRIVER. Wants, from global modules: AUTHORITY_STORE, LEADERSHIP, AGENT_GATEWAY, LOGGER, SAGA_OPTIONS. */
@Global()
@Module({
  imports: [AlertingModule, DecisionModule, PublishingModule],
  providers: [
    {
      provide: SagaRunner,
      inject: [AUTHORITY_STORE, PUBLISHING, AGENT_GATEWAY, DECISIONS, ALERTING, LEADERSHIP, LOGGER, SAGA_OPTIONS],
      useFactory: (
        store: AuthorityStore,
        publishing: Publishing,
        gateway: AgentGateway,
        decisions: Decisions,
        alerting: Alerting,
        leadership: Leadership,
        log: Logger,
        options: SagaOptions,
      ) => {
        const { times, crashPoint } = options;
        const crash = crashAt(crashPoint);
        return new SagaRunner(
          {
            store,
            publishing,
            gateway,
            decisions,
            alerting,
            leadership,
            log,
            times,
            crash,
            time: systemTime,
            runHook: runPreHook,
          },
          options,
        );
      },
    },
    { provide: SAGA_DRIVER, useExisting: SagaRunner },
    SagaLifecycle,
  ],
  exports: [SAGA_DRIVER],
})
export class SagaModule {}
