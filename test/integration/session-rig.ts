import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Global, type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { sampleGroup } from '#failover';
import { CLOCK, createLogger, LOGGER, systemClock } from '#platform';
import { type AgentParts, AgentService } from '../../apps/agent/src/agent.service.js';
import type { AgentConfig, TlsFiles } from '../../apps/agent/src/config/agent-config.js';
import { LEADERSHIP } from '../../apps/controller/src/leadership/leadership.port.js';
import { GrpcIntake } from '../../apps/controller/src/observation/grpc-intake.service.js';
import { ObservationModule } from '../../apps/controller/src/observation/observation.module.js';
import {
  OBSERVATION_OPTIONS,
  type ObservationOptions,
} from '../../apps/controller/src/observation/observation.options.js';
import {
  AGENT_GATEWAY,
  type AgentGateway,
  GROUP_FACTS_SOURCE,
  SNAPSHOT_SOURCE,
  type SnapshotSource,
} from '../../apps/controller/src/observation/observation.port.js';
import { FakeClusterProbe, soundSelf } from '../fakes/fake-cluster-probe.js';
import { FakeHands } from '../fakes/fake-hands.js';
import { FakeLeadership } from '../fakes/fake-leadership.js';

const logger = createLogger('test', process.env['POINTSMAN_TEST_LOG'] ?? 'silent');
export const PROBE = { periodMs: 200, timeoutMs: 200 } as const;

export const watchGroup = {
  name: 'orders',
  clusters: ['a', 'b'],
  topics: ['orders'],
  consumerGroups: ['billing'],
  principals: ['User:shop'],
  flows: [
    {
      from: 'a',
      to: 'b',
      naming: 'identity',
      connectors: { source: 'a-b-src', checkpoint: 'a-b-cp', heartbeat: 'a-b-hb' },
    },
  ],
} as const;

/** One controller's observation feature: real Nest, real gRPC; leadership and the store's facts by decree. */
export class TestController {
  private constructor(
    private readonly app: INestApplicationContext,
    readonly leadership: FakeLeadership,
    readonly gateway: AgentGateway,
    readonly snapshots: SnapshotSource,
    readonly port: number,
  ) {}

  static async start(over: Partial<ObservationOptions> & { port?: number } = {}): Promise<TestController> {
    const id = over.controllerId ?? 'ctl-a';
    const leadership = new FakeLeadership({ id, advertise: '' });
    const { port = 0, grpc, ...rest } = over;
    const options: ObservationOptions = {
      controllerId: id,
      grpc: { listen: `127.0.0.1:${port}`, tls: grpc?.tls ?? null },
      leaseTtlMs: 2_000,
      probe: PROBE,
      clusters: [
        { name: 'a', idc: 'a' },
        { name: 'b', idc: 'b' },
      ],
      observers: ['a', 'b', 'c'].map((idc) => ({ agent: `agent-${idc}`, idc })),
      groups: [{ watch: watchGroup, placement: { storeSurvives: ['a', 'b', 'c'], configCenterSurvives: [] } }],
      ...rest,
    };
    const provided = new Map<symbol, unknown>([
      [OBSERVATION_OPTIONS, options],
      [LEADERSHIP, leadership],
      [CLOCK, systemClock],
      [LOGGER, logger],
      [
        GROUP_FACTS_SOURCE,
        {
          facts: () => sampleGroup({ active: 'a', epoch: 7 }),
          policyDigests: () => ({ [id]: 'digest' }),
          configCenter: () => ({ writableAgeMs: 100, error: null }),
        },
      ],
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
    const bound = app.get(GrpcIntake).port;
    if (bound === null) throw new Error('the gRPC server has no port');
    return new TestController(app, leadership, app.get(AGENT_GATEWAY), app.get(SNAPSHOT_SOURCE), bound);
  }

  vote(cluster: string, agent: string): string | undefined {
    return this.snapshots.build('orders', null).votes[cluster]?.[agent]?.state;
  }

  connected(agent: string): boolean {
    return this.gateway.sessions().some((s) => s.agent === agent && s.connected);
  }

  close(): Promise<void> {
    return this.app.close();
  }
}

/** A whole agent over fakes of Kafka and Connect: real sessions, real goals on disk. */
export class TestAgent {
  private stopped = false;

  private constructor(
    readonly service: AgentService,
    readonly probes: ReadonlyMap<string, FakeClusterProbe>,
    readonly hands: FakeHands,
    readonly dataDir: string,
  ) {}

  static async start(idc: string, ports: readonly number[], over: TestAgentOptions = {}): Promise<TestAgent> {
    const id = over.id ?? `agent-${idc}`;
    const dataDir = over.dataDir ?? mkdtempSync(join(tmpdir(), 'pointsman-agent-'));
    const clusters = over.clusters ?? ['a', 'b'];
    const config: AgentConfig = {
      agent: { id, idc, dataDir },
      logLevel: 'silent',
      controllers: ports.map((port) => `127.0.0.1:${port}`),
      tls: over.tls ?? null,
      http: null,
      probe: { ...PROBE, failures: 3 },
      referenceTargets: [],
      clusters: clusters.map((name) => ({
        name,
        idc: null,
        bootstrapServers: ['127.0.0.1:1'],
        security: { protocol: 'PLAINTEXT', sasl: null, tls: null },
        ordinary: null,
        connectUrl: null,
      })),
    };
    const clock = (): number => systemClock.monotonicMs();
    const probes = new Map(clusters.map((name) => [name, new FakeClusterProbe(clock)]));
    const hands = over.hands ?? new FakeHands();
    const parts: AgentParts = { probes, hands, self: soundSelf };
    const service = new AgentService(config, parts, clock, logger);
    await service.start();
    return new TestAgent(service, probes, hands, dataDir);
  }

  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    await this.service.stop('test');
  }

  forget(): void {
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

export type TestAgentOptions = Readonly<{
  id?: string;
  tls?: TlsFiles;
  dataDir?: string;
  hands?: FakeHands;
  clusters?: readonly string[];
}>;
