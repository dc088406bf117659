import { ConfigError, type EffectiveValue, explainConfig, parseConfig, readConfigText } from '#platform';
import { loadControllerConfig } from './load.js';
import { brokenRules } from './rules.js';
import { controllerSchema } from './schema.js';

/** `node show.js FILE`: every key in force with its origin, as JSON on stdout; a refused file as `check.js` tells it. */
try {
  process.stdout.write(`${JSON.stringify(effective(process.argv[2] ?? ''))}\n`);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stdout.write(`${error.message}\n`);
  process.exitCode = 2;
}

function effective(file: string): readonly EffectiveValue[] {
  const text = readConfigText(file);
  const value = parseConfig(text, file, controllerSchema, brokenRules);
  const { crashAt } = loadControllerConfig(file);
  const environment =
    crashAt === null ? [] : [{ path: 'crashAt', value: crashAt, origin: 'environment POINTSMAN_CRASH' }];
  return [...explainConfig(text, file, controllerSchema, value), ...environment];
}
