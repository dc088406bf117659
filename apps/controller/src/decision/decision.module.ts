import { Global, Module } from '@nestjs/common';

import { DECISIONS } from './decision.port.js';
import { DecisionEvaluator } from './decision-evaluator.js';
import { DecisionRecorder } from './decision-recorder.js';

/** Gives DECISIONS. The ticker, which acts, is in {@link ./tick.module.ts}: sagas ask for decisions, never for ticks. */
@Global()
@Module({
  providers: [DecisionRecorder, DecisionEvaluator, { provide: DECISIONS, useExisting: DecisionEvaluator }],
  exports: [DECISIONS, DecisionEvaluator, DecisionRecorder],
})
export class DecisionModule {}
