#!/usr/bin/env node
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { closeOnSignal, createLogger, NestLogger, programConfig } from '#platform';
import { AgentModule } from './agent.module.js';
import { loadAgentConfig, loadServiceManager } from './config/load.js';

const USAGE = `usage: pointsman-agent --config FILE

Watches the Kafka clusters named in FILE, reports to every controller and carries out the leader's goals.

  --config FILE   configuration (YAML, kind: Agent)
  --check         only read the configuration, say what is wrong and leave
  --version       print the version
  --help          print this

examples:
  pointsman-agent --check --config /etc/pointsman/agent.yaml
  pointsman-agent --config /etc/pointsman/agent.yaml
`;

/** A planned stop: goodbyes, then the open effects; after it the process leaves anyway. */
const GRACE_MS = 10_000;

const config = programConfig(USAGE, loadAgentConfig);
const logger = createLogger('pointsman-agent', config.logLevel, { 'pointsman.agent': config.agent.id });
try {
  const app = await NestFactory.createApplicationContext(AgentModule.register(config, logger), {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  const manager = loadServiceManager(logger);
  closeOnSignal(() => Promise.all([manager.stopping(), app.close()]), GRACE_MS, logger);
  await manager.ready();
} catch (error) {
  logger.fatal({ error }, 'the agent could not start');
  process.exit(1);
}
