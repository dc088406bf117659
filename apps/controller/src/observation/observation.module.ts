import { Global, Module } from '@nestjs/common';
import { AgentSessions } from './agent-sessions.service.js';
import { ConsumerLagBook, consumersOf } from './consumer-lags.js';
import { GrpcIntake } from './grpc-intake.service.js';
import { consumerKey, fenceKey, flowKey, ObservationBook } from './observation-book.js';
import { LeaseTokens } from './lease-tokens.js';
import { OBSERVATION_OPTIONS, type ObservationOptions } from './observation.options.js';
import { AGENT_GATEWAY, CONSUMER_LAGS, SNAPSHOT_SOURCE } from './observation.port.js';
import { SnapshotBuilder } from './snapshot-builder.js';

const makeBook = (options: ObservationOptions): ObservationBook =>
  new ObservationBook(
    options.observers.map((o) => o.agent),
    {
      clusters: new Set(options.clusters.map((c) => c.name)),
      fenceKeys: new Set(options.groups.flatMap((g) => g.watch.clusters.map((c) => fenceKey(g.watch.name, c)))),
      flowKeys: new Set(options.groups.flatMap((g) => g.watch.flows.map((f) => flowKey(g.watch.name, f.from, f.to)))),
      consumerKeys: new Set(options.groups.flatMap((g) => consumersOf(g.watch).map(consumerKey))),
    },
  );

/**
 * Gives SNAPSHOT_SOURCE, AGENT_GATEWAY and CONSUMER_LAGS, and serves the agents' sessions.
 * Wants, from global modules: OBSERVATION_OPTIONS, GROUP_FACTS_SOURCE, LEADERSHIP, CLOCK, LOGGER.
 */
@Global()
@Module({
  providers: [
    { provide: ObservationBook, useFactory: makeBook, inject: [OBSERVATION_OPTIONS] },
    LeaseTokens,
    SnapshotBuilder,
    AgentSessions,
    GrpcIntake,
    { provide: SNAPSHOT_SOURCE, useExisting: SnapshotBuilder },
    { provide: AGENT_GATEWAY, useExisting: AgentSessions },
    { provide: CONSUMER_LAGS, useClass: ConsumerLagBook },
  ],
  exports: [SNAPSHOT_SOURCE, AGENT_GATEWAY, CONSUMER_LAGS, GrpcIntake],
})
export class ObservationModule {}
