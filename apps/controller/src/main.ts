#!/usr/bin/env node
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { checkTables } from '#failover';
import { closeOnSignal, createLogger, NestLogger, programConfig } from '#platform';
import { AppModule } from './app.module.js';
import { loadControllerConfig, loadServiceManager } from './config/load.js';

const USAGE = `usage: pointsman-controller --config FILE

Judges what agents report, and moves a group's traffic when its active IDC is dead.

  --config FILE   configuration (YAML, kind: Controller; examples/controller.yaml shows every key)
  --check         only read the configuration, say what is wrong and leave
  --version       print the version
  --help          print this

examples:
  pointsman-controller --check --config /etc/pointsman/controller.yaml
  pointsman-controller --config /etc/pointsman/controller.yaml
  POINTSMAN_CRASH=after:publish pointsman-controller --config ctl.yaml     (for tests: dies there, as by kill -9)
`;

const GRACE_MS = 15_000;

const problems = checkTables();
if (problems.length > 0) throw new Error(`the decision tables are broken: ${problems.join('; ')}`);
const config = programConfig(USAGE, loadControllerConfig);
const logger = createLogger('pointsman-controller', config.logLevel, { 'service.node.name': config.id });
try {
  const app = await NestFactory.create(AppModule.forRoot(config, logger), {
    logger: new NestLogger(logger),
    forceCloseConnections: true,
    abortOnError: false,
  });
  const manager = loadServiceManager(logger);
  closeOnSignal(() => Promise.all([manager.stopping(), app.close()]), GRACE_MS, logger);
  await app.listen(config.http.port, config.http.host);
  await manager.ready();
} catch (error) {
  logger.fatal({ error }, 'the controller could not start');
  process.exit(1);
}
logger.info({ http: config.http.advertise, groups: config.groups.map((g) => g.name) }, 'controller serves');
