import { Module } from '@nestjs/common';
import { AlertingModule } from '../alerting/alerting.module.js';
import { GroupMetrics } from './group-metrics.js';
import { MetricsController } from './metrics.controller.js';
import { SagaWatch } from './saga-watch.service.js';

/** HTTP /metrics. Wants, from global modules: METRICS_OPTIONS, DECISIONS, LEADERSHIP, AUTHORITY_STORE, CONSUMER_LAGS. */
@Module({
  imports: [AlertingModule],
  controllers: [MetricsController],
  providers: [GroupMetrics, SagaWatch],
})
export class MetricsModule {}
