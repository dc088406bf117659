import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkoutRoot } from '#lab';
import { type ApiApp, TOKEN } from './api-app.js';
import { ApiRig } from './api-rig.js';

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

/** A controller that leads, and the command line asking it. `folder` holds its token, and a wrong one. */
export class CliRig {
  private constructor(
    readonly folder: string,
    readonly controllers: ApiRig,
    readonly api: ApiApp,
  ) {}

  static async start(): Promise<CliRig> {
    const folder = await mkdtemp(join(tmpdir(), 'pointsman-cli-'));
    await writeFile(join(folder, 'token'), `${TOKEN}\n`);
    await writeFile(join(folder, 'wrong'), 'nonsense');
    const controllers = new ApiRig();
    const api = await controllers.start('ctl-a');
    await api.lead();
    return new CliRig(folder, controllers, api);
  }

  environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    return { ...cliEnvironment(this.api.url, join(this.folder, 'token')), ...more };
  }

  async close(): Promise<void> {
    await this.controllers.close();
    await rm(this.folder, { recursive: true });
  }
}
