import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutRoot } from '#lab';

/** The built command line as a process of its own. */
export const CLI_MAIN = join(checkoutRoot(), 'dist/apps/cli/src/main.js');

export function mustBeBuilt(): void {
  if (!existsSync(CLI_MAIN)) throw new Error(`${CLI_MAIN} is missing: run npm run build first`);
}

export type CliResult = Readonly<{ code: number; out: string; err: string }>;

export const cliEnvironment = (server: string, tokenFile: string): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  USER: 'kim',
  POINTSMAN_SERVER: server,
  POINTSMAN_TOKEN_FILE: tokenFile,
});

export const runCli = (args: readonly string[], env: NodeJS.ProcessEnv): Promise<CliResult> =>
  new Promise((resolve) => {
    execFile(process.execPath, [CLI_MAIN, ...args], { env, cwd: checkoutRoot() }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
