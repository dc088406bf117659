import 'reflect-metadata';
import { Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { sampleGroup } from '#failover';
import { CLOCK, createLogger, LOGGER, systemClock } from '#platform';
import { LEADERSHIP, type Leadership } from '../../../apps/controller/src/leadership/leadership.port.js';
import { GrpcIntake } from '../../../apps/controller/src/observation/grpc-intake.service.js';
import { ObservationModule } from '../../../apps/controller/src/observation/observation.module.js';
import {
  OBSERVATION_OPTIONS,
  type ObservationOptions,
} from '../../../apps/controller/src/observation/observation.options.js';
import {
  AGENT_GATEWAY,
  type AgentGateway,
  GROUP_FACTS_SOURCE,
  type GroupFactsSource,
} from '../../../apps/controller/src/observation/observation.port.js';
import type { IntakeServer } from './intake-server.js';

const view = { me: 'ctl-a', term: 1, leader: { id: 'ctl-a', advertise: '' }, leading: true, signal: null };
const leadership: Leadership = { current: () => view, onChange: () => () => undefined, heardTerm: () => undefined };
const facts: GroupFactsSource = {
  facts: () => sampleGroup(),
  policyDigests: () => ({ 'ctl-a': 'digest' }),
  configCenter: () => ({ writableAgeMs: 100, error: null }),
};

/** The controller's observation feature as it is, its gRPC server included; leadership and the store's facts by decree. */
export async function startRealIntake(
  agents: readonly Readonly<{ agent: string; idc: string }>[],
): Promise<IntakeServer> {
  const options: ObservationOptions = {
    controllerId: 'ctl-a',
    grpc: { listen: '127.0.0.1:0', tls: null },
    leaseTtlMs: 10_000,
    probe: { periodMs: 1_000, timeoutMs: 1_000 },
    clusters: ['a', 'b'].map((name) => ({ name, idc: name })),
    observers: agents,
    groups: [
      {
        watch: {
          name: 'orders',
          clusters: ['a', 'b'],
          topics: ['orders'],
          consumerGroups: ['billing'],
          principals: [],
          flows: [
            {
              from: 'a',
              to: 'b',
              naming: 'identity',
              connectors: { source: 'a-b-src', checkpoint: 'a-b-cp', heartbeat: 'a-b-hb' },
            },
          ],
        },
        placement: { storeSurvives: ['a', 'b', 'c'], configCenterSurvives: ['a', 'b', 'c'] },
      },
    ],
  };
  const provided = new Map<symbol, unknown>([
    [OBSERVATION_OPTIONS, options],
    [LEADERSHIP, leadership],
    [CLOCK, systemClock],
    [LOGGER, createLogger('bench', 'silent')],
    [GROUP_FACTS_SOURCE, facts],
  ]);
  @Global()
  @Module({
    providers: [...provided].map(([provide, useValue]) => ({ provide, useValue })),
    exports: [...provided.keys()],
  })
  class Ports {}
  @Module({ imports: [Ports, ObservationModule] })
  class Root {}
  const app = await NestFactory.createApplicationContext(Root, { logger: false });
  const gateway = app.get<AgentGateway>(AGENT_GATEWAY);
  const { port } = app.get(GrpcIntake);
  if (port === null) throw new Error('the gRPC server has no port');
  return { port, sessions: () => gateway.sessions().filter((s) => s.connected).length };
}
