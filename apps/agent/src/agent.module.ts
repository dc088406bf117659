import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { CLOCK, type Clock, LOGGER, type Logger, systemClock } from '#platform';
import { type AgentParts, AgentService } from './agent.service.js';
import { ClusterIds } from './cluster-ids.js';
import type { AgentConfig } from './config/agent-config.js';
import { AgentHands } from './hands/index.js';
import { OffsetKeeper } from './offsets/index.js';
import { createClusterProbe, createSelfMonitor, EndOffsetBoard } from './probes/index.js';

const AGENT_CONFIG = Symbol('AgentConfig');
const AGENT_PARTS = Symbol('AgentParts');

/** Binds the agent's own start and stop to Nest's life cycle, so that a signal closes it in order. */
@Injectable()
class AgentLifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(AgentService) private readonly agent: AgentService) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.agent.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.agent.stop('planned stop');
  }
}

/** The whole agent: probes and hands from the configuration, everything else on top of them. */
@Module({})
export class AgentModule {
  static register(config: AgentConfig, logger: Logger): DynamicModule {
    return {
      module: AgentModule,
      providers: [
        { provide: AGENT_CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
        { provide: CLOCK, useValue: systemClock },
        { provide: AGENT_PARTS, useFactory: makeParts, inject: [AGENT_CONFIG, CLOCK, LOGGER] },
        {
          provide: AgentService,
          useFactory: (c: AgentConfig, parts: AgentParts, clock: Clock, log: Logger) =>
            new AgentService(c, parts, () => clock.monotonicMs(), log),
          inject: [AGENT_CONFIG, AGENT_PARTS, CLOCK, LOGGER],
        },
        AgentLifecycle,
      ],
    };
  }
}

function makeParts(config: AgentConfig, clock: Clock, logger: Logger): AgentParts {
  const monotonicMs = (): number => clock.monotonicMs();
  const self = createSelfMonitor(config, monotonicMs);
  const board = new EndOffsetBoard();
  const onTrouble = (cluster: string, trouble: string | null): void =>
    trouble === null ? logger.info({ cluster }, 'the probe is whole again') : logger.warn({ cluster }, trouble);
  const tellSyncs = (flow: string, trouble: string | null): void =>
    trouble === null ? logger.info({ flow }, 'offset-syncs are read again') : logger.warn({ flow }, trouble);
  const ids = new ClusterIds(config.agent.dataDir, logger);
  const around = { config, clock: monotonicMs, self, board, ids, onTrouble };
  const offsets = new OffsetKeeper({ config, board, clock: monotonicMs, ids, onTrouble: tellSyncs });
  board.silentGaps = (flow) => offsets.gaps(flow);
  return {
    self,
    offsets,
    hands: new AgentHands(config, offsets, ids),
    probes: new Map(config.clusters.map((cluster) => [cluster.name, createClusterProbe(cluster, around)])),
  };
}
