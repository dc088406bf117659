import { ConfigError } from '#platform';
import { loadControllerConfig } from './load.js';

/** `node check.js FILE`: one line per problem on stdout and exit 2; nothing and exit 0 if a controller would accept it; secret files are not opened. */
try {
  loadControllerConfig(process.argv[2] ?? '', {});
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stdout.write(`${error.message}\n`);
  process.exitCode = 2;
}
