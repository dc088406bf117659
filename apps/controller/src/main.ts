import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { checkTables } from '#failover';
import { closeOnSignal, ConfigError, createLogger, NestLogger, packageVersion } from '#platform';
import { AppModule } from './app.module.js';
import { loadControllerConfig } from './config/load.js';

const HELP = `Pointsman controller: judges what agents report, and moves a group's traffic when its active IDC is dead.

usage: controller --config FILE

  --config FILE   the configuration (examples/controller.yaml shows every key)
  --version       print the version
  --help          this text

examples:
  controller --config /etc/pointsman/controller.yaml
  POINTSMAN_CRASH=after:publish controller --config ctl.yaml     (tests: dies there, once)
`;

const SHUTDOWN_GRACE_MS = 15_000;

try {
  await main();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { config: { type: 'string' }, version: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.version === true) return say(packageVersion());
  if (values.help === true) return say(HELP.trimEnd());
  if (values.config === undefined) {
    process.stderr.write('--config FILE is required; --help shows an example\n');
    process.exitCode = 2;
    return;
  }
  const problems = checkTables();
  if (problems.length > 0) throw new Error(`the decision tables are broken: ${problems.join('; ')}`);
  const config = loadControllerConfig(values.config);
  const logger = createLogger('pointsman-controller', config.logLevel, { 'service.node.name': config.id });
  const app = await NestFactory.create(AppModule.forRoot(config, logger), {
    logger: new NestLogger(logger),
    forceCloseConnections: true,
    abortOnError: false,
  });
  closeOnSignal(() => app.close(), SHUTDOWN_GRACE_MS, logger);
  await app.listen(config.http.port, config.http.host);
  logger.info({ http: config.http.advertise, groups: config.groups.map((g) => g.name) }, 'controller serves');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
