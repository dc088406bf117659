import { userInfo } from 'node:os';

/** What the environment says; the only place of the CLI that reads it. Flags win over it. */
export type CliEnvironment = Readonly<{
  servers: readonly string[];
  tokenFile: string | null;
  user: string | null;
  color: boolean;
  columns: number | null;
}>;

export const loadEnvironment = (env: NodeJS.ProcessEnv = process.env): CliEnvironment => ({
  servers: (env['POINTSMAN_SERVER'] ?? '').split(/[\s,]+/).filter(Boolean),
  tokenFile: env['POINTSMAN_TOKEN_FILE'] || null,
  user: env['USER'] || env['LOGNAME'] || loginName(),
  color: !env['NO_COLOR'] && env['TERM'] !== 'dumb',
  columns: Number(env['COLUMNS']) || null,
});

/** The account's name where the environment is bare (cron, containers); null for a uid without an entry. */
const loginName = (): string | null => {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
};
