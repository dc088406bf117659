import { type DynamicModule, Module } from '@nestjs/common';
import type { Logger } from '#platform';
import { readSecretFile } from '#platform';
import { AlertingModule } from './alerting/alerting.module.js';
import type { ControllerConfig } from './config/compile.js';
import { SettingsModule } from './config/settings.module.js';
import { DecisionModule } from './decision/decision.module.js';
import { FactsModule } from './decision/facts.module.js';
import { TickModule } from './decision/tick.module.js';
import { LeadershipModule } from './leadership/leadership.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { ObservationModule } from './observation/observation.module.js';
import { OperatorModule } from './operator/operator.module.js';
import { PersistenceModule } from './persistence/persistence.module.js';
import { RetentionModule } from './persistence/retention.module.js';
import { PublishingModule } from './publishing/publishing.module.js';
import { SagaModule } from './saga/saga.module.js';

/** The whole controller. Each feature lists what it wants from the others in its module's docstring. */
@Module({})
export class AppModule {
  static forRoot(config: ControllerConfig, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      imports: [
        SettingsModule.forRoot(config, logger),
        PersistenceModule.forRoot({ url: storeUrl(config) }),
        LeadershipModule.forRoot({
          me: { id: config.id, advertise: config.http.advertise },
          timings: config.lease,
        }),
        RetentionModule.forRoot({ controller: config.id, keepMs: () => config.store.retentionMs }),
        PublishingModule,
        FactsModule,
        ObservationModule,
        AlertingModule,
        DecisionModule,
        SagaModule,
        TickModule,
        OperatorModule,
        MetricsModule,
      ],
    };
  }
}

function storeUrl({ store }: ControllerConfig): string {
  if (store.url !== null) return store.url;
  if (store.urlFile !== null) return readSecretFile(store.urlFile);
  throw new Error('the store has neither url nor urlFile: the schema must have refused it');
}
