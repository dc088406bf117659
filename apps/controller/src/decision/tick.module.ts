import { Module } from '@nestjs/common';
import { SagaModule } from '../saga/saga.module.js';
import { DecisionModule } from './decision.module.js';
import { DecisionTicker } from './decision-ticker.js';

@Module({ imports: [DecisionModule, SagaModule], providers: [DecisionTicker] })
export class TickModule {}
