import { ConfigError, loadConfigFile, type Logger } from '#platform';
import { compileConfig } from './compile.js';
import type { LiveConfig } from './live-config.js';
import { changesBetween, refusedLive } from './reload-rules.js';
import { brokenRules } from './rules.js';
import { controllerSchema, type RawControllerConfig } from './schema.js';

type Deps = Readonly<{
  live: LiveConfig;
  log: Pick<Logger, 'info' | 'error'> & { level: string };
}>;

/**
 * Takes the configuration file anew, whole or not at all. A file that a start would refuse, or that changes what cannot
 * change live, keeps the old one in force; the log names every such place.
 */
export class ConfigReload {
  /** @param raw what the process was started with */
  constructor(
    private readonly deps: Deps,
    private readonly file: string,
    private raw: RawControllerConfig,
  ) {}

  /** True: the new one is in force. */
  reload(): boolean {
    const { live, log } = this.deps;
    let next: RawControllerConfig;
    try {
      next = loadConfigFile(this.file, controllerSchema, (value) => {
        const broken = brokenRules(value);
        return broken.length > 0 ? broken : refusedLive(this.raw, value);
      });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      log.error(
        { problems: error.message.split('\n') },
        'the configuration was not reloaded: the old one stays in force',
      );
      return false;
    }
    const changed = changesBetween(this.raw, next).map(({ key }) => key);
    live.replace(compileConfig(next, live.view.crashAt));
    this.raw = next;
    log.level = live.view.logLevel;
    log.info({ changed, policyDigest: live.view.policyDigest }, 'the configuration was reloaded');
    return true;
  }
}
