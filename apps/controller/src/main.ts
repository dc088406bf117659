#!/usr/bin/env node
import 'reflect-metadata';
import { checkTables } from '#failover';
import { closeOnSignal, createLogger, programConfig, SecretFileError } from '#platform';
import { openHttp } from './open-http.js';
import { AppModule } from './app.module.js';
import { LiveConfig } from './config/live-config.js';
import { loadController, loadServiceManager } from './config/load.js';
import { ConfigReload } from './config/reload.js';

const USAGE = `usage: pointsman-controller --config FILE

Judges what agents report, and moves a group's traffic when its active IDC is dead.

  --config FILE   configuration (YAML, kind: Controller; docs/configuration.md lists every key)
  --check         only read the configuration, say what is wrong and leave
  --version       print the version
  --help          print this

signals:
  SIGHUP          read the file again: log.level, store.retention, sagaMaxOpen, policy and mode of groups (unless
                  pointsman mode set it) change at once;
                  a file with anything else changed, or a bad one, is refused whole (the log says why)
  SIGTERM         hand over and leave

examples:
  pointsman-controller --check --config /etc/pointsman/controller.yaml
  pointsman-controller --config /etc/pointsman/controller.yaml
  POINTSMAN_CRASH=after:publish pointsman-controller --config ctl.yaml     (for tests: dies there, as by kill -9)
`;

const GRACE_MS = 15_000;
/** As for a file that is refused: a service manager must not try again what only a person can mend. */
const BAD_CONFIGURATION = 2;

const problems = checkTables();
if (problems.length > 0) throw new Error(`the decision tables are broken: ${problems.join('; ')}`);
const loaded = programConfig(USAGE, loadController);
const { config } = loaded;
const logger = createLogger('pointsman-controller', config.logLevel, { 'service.node.name': config.id });
const live = new LiveConfig(config);
const reload = new ConfigReload({ live, log: logger }, loaded.file, loaded.raw);
process.on('SIGHUP', () => reload.reload());
try {
  const app = await openHttp(AppModule.forRoot(live.view, logger), config.http, logger);
  const manager = loadServiceManager(logger);
  closeOnSignal(() => Promise.all([manager.stopping(), app.close()]), GRACE_MS, logger);
  await app.listen(config.http.port, config.http.host);
  await manager.ready();
} catch (error) {
  logger.fatal({ error }, 'the controller could not start');
  process.exit(error instanceof SecretFileError ? BAD_CONFIGURATION : 1);
}
logger.info({ http: config.http.advertise, groups: config.groups.map((g) => g.name) }, 'controller serves');
