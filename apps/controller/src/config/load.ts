import { ConfigError, loadConfigFile, type Logger, type ServiceManager, serviceManager } from '#platform';
import { STEP_NAMES } from '#failover';
import { compileConfig, type ControllerConfig } from './compile.js';
import { brokenRules } from './rules.js';
import { controllerSchema, type RawControllerConfig } from './schema.js';

/** Reads the configuration file and the environment: the only place of the controller that does. */
export function loadControllerConfig(file: string, env: NodeJS.ProcessEnv = process.env): ControllerConfig {
  return loadController(file, env).config;
}

export type LoadedConfig = Readonly<{ file: string; raw: RawControllerConfig; config: ControllerConfig }>;

/** As {@link loadControllerConfig}, with the file's own words: a reload compares them. */
export function loadController(file: string, env: NodeJS.ProcessEnv = process.env): LoadedConfig {
  const raw = loadConfigFile(file, controllerSchema, brokenRules);
  return { file, raw, config: compileConfig(raw, crashPoint(env['POINTSMAN_CRASH'])) };
}

function crashPoint(text: string | undefined): string | null {
  if (text === undefined || text === '') return null;
  const [when, step] = text.split(':');
  if ((when === 'before' || when === 'after') && STEP_NAMES.some((s) => s === step)) return text;
  const message = `"${text}": expected before:<step> or after:<step>, steps: ${STEP_NAMES.join(', ')}`;
  throw new ConfigError([{ file: 'environment', line: 1, column: 1, path: 'POINTSMAN_CRASH', message }]);
}

export const CONTROLLER_CONFIG = Symbol('ControllerConfig');

/** systemd, when it started this controller; here because nothing else reads the environment. */
export const loadServiceManager = (logger: Logger, env: NodeJS.ProcessEnv = process.env): ServiceManager =>
  serviceManager(env, logger);
