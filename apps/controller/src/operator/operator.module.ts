import { type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ThrottlerModule } from '@nestjs/throttler';
import { AlertsController } from './alerts.controller.js';
import { Clients } from './clients.service.js';
import { DocumentController } from './document.controller.js';
import { EventStreams } from './event-streams.service.js';
import { EventsController } from './events.controller.js';
import { Explain } from './explain.service.js';
import { Groups } from './groups.service.js';
import { HealthController } from './health.controller.js';
import { HistoryController } from './history.controller.js';
import { BearerGuard } from './http/bearer.guard.js';
import { DeniedAttempts } from './http/denied-attempts.js';
import { ProblemFilter } from './http/problem.filter.js';
import { RateGuard, throttlers } from './http/rate.guard.js';
import { RequestLog } from './http/request-log.js';
import { requestIds } from './http/request-ids.js';
import { KeyGuard, WriteGuard } from './http/write.guard.js';
import { OPERATOR_OPTIONS } from './operator.options.js';
import type { OperatorOptions } from './operator.options.js';
import { ReadinessReports } from './readiness.service.js';
import { TokenBook } from './http/token-book.js';
import { ReadsController } from './reads.controller.js';
import { TailController } from './tail.controller.js';
import { TokensController } from './tokens.controller.js';
import { FleetWriter } from './writes/fleet-writer.service.js';
import { FleetWritesController } from './writes/fleet-writes.controller.js';
import { GroupWriter } from './writes/group-writer.service.js';
import { GroupWritesController } from './writes/group-writes.controller.js';
import { SignIn } from './oidc/sign-in.service.js';
import { KeptAnswers } from './writes/kept-answers.js';
import { ProposalWriter } from './writes/proposal-writer.service.js';
import { ProposalWritesController } from './writes/proposal-writes.controller.js';
import { Schedule } from './writes/schedule.service.js';
import { SecondPerson } from './writes/second-person.service.js';
import { SagaWriter } from './writes/saga-writer.service.js';
import { SagaWritesController } from './writes/saga-writes.controller.js';

/**
 * HTTP: /v1, /healthz, /readyz, by the table of routes in `contract/`. Wants, from global modules: SAGA_DRIVER, AUTHORITY_STORE, LEADERSHIP, DECISIONS, LOGGER, AGENT_GATEWAY,
 * OPERATOR_OPTIONS.
 */
@Module({
  imports: [
    ThrottlerModule.forRootAsync({
      inject: [OPERATOR_OPTIONS],
      useFactory: ({ rateLimit }: OperatorOptions) => throttlers(rateLimit),
    }),
  ],
  controllers: [
    AlertsController,
    HistoryController,
    TokensController,
    ReadsController,
    EventsController,
    GroupWritesController,
    FleetWritesController,
    SagaWritesController,
    ProposalWritesController,
    TailController,
    DocumentController,
    HealthController,
  ],
  providers: [
    Groups,
    Explain,
    Clients,
    ReadinessReports,
    EventStreams,
    GroupWriter,
    FleetWriter,
    KeptAnswers,
    SecondPerson,
    Schedule,
    SagaWriter,
    ProposalWriter,
    KeyGuard,
    BearerGuard,
    RateGuard,
    WriteGuard,
    DeniedAttempts,
    TokenBook,
    SignIn,
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
})
export class OperatorModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(requestIds, RequestLog).forRoutes('*path');
  }
}
