import { parseArgs } from 'node:util';
import { ConfigError } from './config/load-config-file.js';
import { packageVersion } from './version.js';

/** Exit status for bad options and bad configuration: the caller must change something before it can work. */
const USAGE_STATUS = 2;

/**
 * The command line that every long-running program of ours has: `--config FILE`, `--check`, `--version`, `--help`.
 * Prints and leaves by itself for all but the real start. What is wrong with the options or the configuration goes to
 * stderr, all of it, with exit status 2.
 * @param load reads and validates the file; throws {@link ConfigError}
 */
export function programConfig<C>(usage: string, load: (file: string) => C): C {
  const { config: file, check } = options(usage);
  try {
    const config = load(file);
    if (check) leave(0, process.stdout, `${file}: ok`);
    return config;
  } catch (error) {
    if (error instanceof ConfigError) return leave(USAGE_STATUS, process.stderr, error.message);
    throw error;
  }
}

function options(usage: string): { config: string; check: boolean } {
  const { values } = parse(usage);
  if (values.version === true) leave(0, process.stdout, packageVersion());
  if (values.help === true) leave(0, process.stdout, usage);
  if (values.config === undefined) return leave(USAGE_STATUS, process.stderr, `--config FILE is required\n\n${usage}`);
  return { config: values.config, check: values.check === true };
}

function parse(usage: string) {
  try {
    return parseArgs({
      options: {
        config: { type: 'string' },
        check: { type: 'boolean' },
        version: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    return leave(USAGE_STATUS, process.stderr, `${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}

function leave(status: number, stream: NodeJS.WriteStream, text: string): never {
  stream.write(text.endsWith('\n') ? text : `${text}\n`);
  process.exit(status);
}
