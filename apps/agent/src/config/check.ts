import { ConfigError } from '#platform';
import { loadAgentConfig } from './load.js';

/** `node check.js FILE`: one line per problem on stdout and exit 2; nothing and exit 0 if an agent would start with it. */
try {
  loadAgentConfig(process.argv[2] ?? '');
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stdout.write(`${error.message}\n`);
  process.exitCode = 2;
}
