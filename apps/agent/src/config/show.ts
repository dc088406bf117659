import { ConfigError, explainConfig, parseConfig, readConfigText } from '#platform';
import { brokenRules } from './rules.js';
import { agentSchema } from './schema.js';

/** `node show.js FILE`: every key in force with its origin, as JSON on stdout; a refused file as `check.js` tells it. */
const file = process.argv[2] ?? '';
try {
  const text = readConfigText(file);
  const value = parseConfig(text, file, agentSchema, brokenRules);
  process.stdout.write(`${JSON.stringify(explainConfig(text, file, agentSchema, value))}\n`);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stdout.write(`${error.message}\n`);
  process.exitCode = 2;
}
