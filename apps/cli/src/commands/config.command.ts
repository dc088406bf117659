import { CliError, EXIT } from '../exit-codes.js';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { table } from '../render/text.js';
import { checkConfigFile, showConfigFile } from './check-config.js';

/** One line per problem on stdout, of all files; a good file is said on stderr, so that `check` prints nothing but faults. */
export const configCheckCommand = async (files: readonly string[], io: Io): Promise<ExitCode> => {
  let ok = true;
  for (const file of files) {
    for (const check of await checkConfigFile(file, io.signal)) {
      if (check.ok) io.err(`${file}: ${check.found}`);
      else {
        ok = false;
        io.out(check.remedy === null ? check.found : `${file}: ${check.found}; ${check.remedy}`);
      }
    }
  }
  return ok ? EXIT.ok : EXIT.error;
};

export const configShowCommand = async (
  file: string,
  options: Readonly<{ effective?: boolean; output: 'table' | 'json' }>,
  io: Io,
): Promise<ExitCode> => {
  const shown = await showConfigFile(file, io.signal);
  if ('problems' in shown) throw new CliError(shown.problems.join('\n'), EXIT.error);
  const values = shown.values.filter((v) => options.effective === true || v.origin !== 'default');
  if (options.output === 'json') io.out(JSON.stringify({ file, values }));
  else {
    const rows = values.map(({ path, value, origin }) => [path, origin.replace(`${file}:`, 'line '), value]);
    for (const line of table([['KEY', 'ORIGIN', 'VALUE'], ...rows], io.columns)) io.out(line);
  }
  return EXIT.ok;
};
