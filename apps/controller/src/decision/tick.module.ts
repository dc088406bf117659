import { Module } from '@nestjs/common';
import { SagaModule } from '../saga/saga.module.js';
import { DecisionModule } from './decision.module.js';
import { DecisionTicker } from './decision-ticker.js';
import { IncidentCloser } from './incident-closer.js';
import { LeaseIssuer } from './lease-issuer.js';
import { ProposalKeeper } from './proposal-keeper.js';
import { ScheduleKeeper } from './schedule-keeper.js';

@Module({
  imports: [DecisionModule, SagaModule],
  providers: [LeaseIssuer, DecisionTicker, IncidentCloser, ProposalKeeper, ScheduleKeeper],
})
export class TickModule {}
