import { Global, Module } from '@nestjs/common';
import { AlertDelivery } from './alert-delivery.service.js';
import { AlertKeeper } from './alert-keeper.service.js';
import { ALERT_BACKLOG, ALERTING } from './alerting.port.js';

/**
 * Gives ALERTING and ALERT_BACKLOG. Wants, from global modules: AUTHORITY_STORE, LEADERSHIP, ALERTING_OPTIONS.
 */
@Global()
@Module({
  providers: [
    AlertDelivery,
    AlertKeeper,
    { provide: ALERTING, useExisting: AlertDelivery },
    { provide: ALERT_BACKLOG, useExisting: AlertDelivery },
  ],
  exports: [ALERTING, ALERT_BACKLOG],
})
export class AlertingModule {}
