import { Global, Module } from '@nestjs/common';
import { GROUP_FACTS_SOURCE } from '../observation/observation.port.js';
import { StoreGroupFacts } from './store-group-facts.js';
import { StoreView } from './store-view.js';

/** Gives GROUP_FACTS_SOURCE and {@link StoreView}. */
@Global()
@Module({
  providers: [StoreView, StoreGroupFacts, { provide: GROUP_FACTS_SOURCE, useExisting: StoreGroupFacts }],
  exports: [StoreView, GROUP_FACTS_SOURCE],
})
export class FactsModule {}
